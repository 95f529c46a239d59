# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_uring_global_optspecs
    string join \n json q/quiet color= h/help V/version
end

function __fish_uring_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_uring_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_uring_using_subcommand
    set -l cmd (__fish_uring_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c uring -n "__fish_uring_needs_command" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_needs_command" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_needs_command" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_needs_command" -s h -l help -d 'Print help'
complete -c uring -n "__fish_uring_needs_command" -s V -l version -d 'Print version'
complete -c uring -n "__fish_uring_needs_command" -f -a "doctor" -d 'Find out why io_uring is refused or limited here, and what to do about it'
complete -c uring -n "__fish_uring_needs_command" -f -a "probe" -d 'List what the kernel offers: flags, features, opcodes, register operations'
complete -c uring -n "__fish_uring_needs_command" -f -a "limits" -d 'Tell what a ring takes and whether it would be had'
complete -c uring -n "__fish_uring_needs_command" -f -a "stat" -d 'Show every ring of the machine: what is pending, unseen, overflowing, and who holds it'
complete -c uring -n "__fish_uring_needs_command" -f -a "top" -d 'Show the rings by what they do, again and again'
complete -c uring -n "__fish_uring_needs_command" -f -a "trace" -d 'Show what requests do, as strace shows system calls'
complete -c uring -n "__fish_uring_needs_command" -f -a "decode" -d 'Put names to numbers: bytes of an SQE, words of flags, lines of strace'
complete -c uring -n "__fish_uring_needs_command" -f -a "errno" -d 'Explain an error number: its causes, from the manual'
complete -c uring -n "__fish_uring_needs_command" -f -a "bench" -d 'Measure requests here, with their spread'
complete -c uring -n "__fish_uring_needs_command" -f -a "run" -d 'Run a program with another flavour of the library, or without io_uring'
complete -c uring -n "__fish_uring_using_subcommand doctor" -l pid -d 'Look at this process instead: its filter, limits, rings and threads' -r
complete -c uring -n "__fish_uring_using_subcommand doctor" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand doctor" -s v -l verbose -d 'Also print what was looked at and found in order'
complete -c uring -n "__fish_uring_using_subcommand doctor" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand doctor" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uring -n "__fish_uring_using_subcommand probe" -l need -d 'Print nothing but those of these names that are missing: OP_SEND_ZC,SETUP_DEFER_TASKRUN' -r
complete -c uring -n "__fish_uring_using_subcommand probe" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand probe" -l since -d 'Also print the kernel that brought each name, and what it does'
complete -c uring -n "__fish_uring_using_subcommand probe" -l header -d 'Print a C header with HAVE_IORING_* for this kernel'
complete -c uring -n "__fish_uring_using_subcommand probe" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand probe" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uring -n "__fish_uring_using_subcommand limits" -l entries -d 'SQEs of the ring' -r
complete -c uring -n "__fish_uring_using_subcommand limits" -l cq -d 'CQEs of the ring [default: twice as many as SQEs]' -r
complete -c uring -n "__fish_uring_using_subcommand limits" -l buffers -d 'Bytes of buffers to register' -r
complete -c uring -n "__fish_uring_using_subcommand limits" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand limits" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand limits" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand limits" -s h -l help -d 'Print help'
complete -c uring -n "__fish_uring_using_subcommand stat" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand stat" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand stat" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uring -n "__fish_uring_using_subcommand top" -s i -l interval -d 'Seconds between two looks' -r
complete -c uring -n "__fish_uring_using_subcommand top" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand top" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand top" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand top" -s h -l help -d 'Print help'
complete -c uring -n "__fish_uring_using_subcommand trace" -s p -l pid -d 'Follow these processes' -r
complete -c uring -n "__fish_uring_using_subcommand trace" -l op -d 'Only requests with these opcodes: read,write' -r
complete -c uring -n "__fish_uring_using_subcommand trace" -s o -l output -d 'Write lines, summary or JSON to this file, apart from what the program prints' -r -F
complete -c uring -n "__fish_uring_using_subcommand trace" -l perfetto -d 'Write a time line that ui.perfetto.dev and chrome://tracing read' -r -F
complete -c uring -n "__fish_uring_using_subcommand trace" -l svg -d 'Write a picture of the latencies by opcode' -r -F
complete -c uring -n "__fish_uring_using_subcommand trace" -l buffer -d 'KiB of trace buffer for each CPU [default: 32768, and 256 MiB for all together]' -r
complete -c uring -n "__fish_uring_using_subcommand trace" -l source -d 'Where events come from' -r -f -a "auto\t''
tracefs\t''
perf\t''"
complete -c uring -n "__fish_uring_using_subcommand trace" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand trace" -s s -l summary -d 'Print counts and percentiles by opcode instead of lines'
complete -c uring -n "__fish_uring_using_subcommand trace" -s l -l latency -d 'The same, and how the latencies are spread'
complete -c uring -n "__fish_uring_using_subcommand trace" -s f -l failed -d 'Print failures only'
complete -c uring -n "__fish_uring_using_subcommand trace" -s a -l all -d 'Print every event: submissions, waits, wake-ups, deferred work'
complete -c uring -n "__fish_uring_using_subcommand trace" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand trace" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uring -n "__fish_uring_using_subcommand decode" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand decode" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand decode" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand decode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c uring -n "__fish_uring_using_subcommand errno" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand errno" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand errno" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand errno" -s h -l help -d 'Print help'
complete -c uring -n "__fish_uring_using_subcommand bench" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand bench" -l compare -d 'Measure plain system calls beside'
complete -c uring -n "__fish_uring_using_subcommand bench" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand bench" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand bench" -s h -l help -d 'Print help'
complete -c uring -n "__fish_uring_using_subcommand run" -l library -d 'The flavour\'s file, where it is not installed' -r -F
complete -c uring -n "__fish_uring_using_subcommand run" -l color -d 'Colour the text: when it goes to a terminal and NO_COLOR is not set, always, or never' -r -f -a "auto\t''
always\t''
never\t''"
complete -c uring -n "__fish_uring_using_subcommand run" -l check -d 'Preload the flavour that finds misuse'
complete -c uring -n "__fish_uring_using_subcommand run" -l fallback -d 'Preload the flavour that does without io_uring where it is refused'
complete -c uring -n "__fish_uring_using_subcommand run" -l disable -d 'Make set-up give ENOSYS, as on a kernel without io_uring; reaches static programs too'
complete -c uring -n "__fish_uring_using_subcommand run" -l json -d 'Print one JSON object instead of text'
complete -c uring -n "__fish_uring_using_subcommand run" -s q -l quiet -d 'Print nothing: the exit status is the answer'
complete -c uring -n "__fish_uring_using_subcommand run" -s h -l help -d 'Print help'
