//! What is done when the library is loaded, before the program runs.

#[used]
#[unsafe(link_section = ".init_array")]
static AT_THE_START: extern "C" fn() = prepare;

extern "C" fn prepare() {
    crate::MEMORY.prepare();
    crate::state::watch_forks();
    crate::mode::mode();
    crate::trace::prepare();
    crate::inject::is_on();
    crate::process::prepare();
    crate::sanitizer::prepare();
    crate::tsan::prepare();
    crate::asan::tell_of_reports(crate::touched::reported);
    crate::asan::tell_of_frees(crate::freed::by_sanitizer);
    #[cfg(feature = "hooks")]
    crate::hooks::prepare();
}
