//! What requests ask for: a file for each topic, and the table that says which opcodes there are.

use uring_core::abi::*;

use crate::op::{Op, nothing, op};

pub mod buffers;
pub mod bundle;
pub mod cancel;
pub mod common;
pub mod futex;
pub mod message;
pub mod misc;
pub mod path;
pub mod poll;
pub mod process;
pub mod read_multishot;
pub mod receive;
pub mod rw;
pub mod socket;
pub mod splice;
pub mod sync;
pub mod timeout;
pub mod xattr;
pub mod zero_copy;

/// The opcodes that are served. The probe names these and no others.
pub fn find(opcode: u8) -> Option<&'static Op> {
    macro_rules! table {
        ($($name:ident => $op:expr;)*) => {
            match opcode {
                $(n if n == io_uring_op::$name as u8 => { const OP: Op = $op; Some(&OP) })*
                _ => None,
            }
        };
    }
    table! {
        IORING_OP_NOP => op(misc::check_nop, misc::nop, nothing).beside_last();
        IORING_OP_NOP128 => op(misc::check_nop, misc::nop, nothing).beside_last();
        IORING_OP_READ => op(rw::check, rw::read, nothing).transferring().selecting();
        IORING_OP_WRITE => op(rw::check, rw::write, nothing).transferring();
        IORING_OP_READV => op(rw::check_vector, rw::read, rw::copy_vector).transferring().selecting();
        IORING_OP_WRITEV => op(rw::check_vector, rw::write, rw::copy_vector).transferring();
        IORING_OP_READ_FIXED => op(rw::check, rw::read, nothing).transferring();
        IORING_OP_WRITE_FIXED => op(rw::check, rw::write, nothing).transferring();
        IORING_OP_READV_FIXED => op(rw::check_vector, rw::read, rw::copy_vector).transferring();
        IORING_OP_WRITEV_FIXED => op(rw::check_vector, rw::write, rw::copy_vector).transferring();
        IORING_OP_FSYNC => op(sync::check_fsync, sync::fsync, nothing).on_file().unbroken(common::had_file);
        IORING_OP_SYNC_FILE_RANGE => op(sync::check_range, sync::range, nothing).on_file().unbroken(common::had_file);
        IORING_OP_FALLOCATE => op(sync::check_fallocate, sync::fallocate, nothing).on_file().unbroken(common::had_file);
        IORING_OP_FTRUNCATE => op(sync::check_ftruncate, sync::ftruncate, nothing).on_file().unbroken(common::had_file);
        IORING_OP_SPLICE => op(splice::check, splice::splice, nothing).on_file();
        IORING_OP_TEE => op(splice::check, splice::tee, nothing).on_file();
        IORING_OP_FADVISE => op(sync::check_fadvise, sync::fadvise, nothing).on_file();
        IORING_OP_MADVISE => op(sync::check_madvise, sync::madvise, nothing).unbroken(|_, _| true);
        IORING_OP_POLL_ADD => op(poll::check_add, poll::add, nothing).on_file().with_event(poll::post_event);
        IORING_OP_POLL_REMOVE => op(poll::check_remove, poll::remove, nothing);
        IORING_OP_TIMEOUT => op(timeout::check, timeout::timeout, timeout::copy);
        IORING_OP_TIMEOUT_REMOVE => op(timeout::check_remove, timeout::remove, timeout::copy_update);
        IORING_OP_LINK_TIMEOUT => op(timeout::check, timeout::link, timeout::copy);
        IORING_OP_ASYNC_CANCEL => op(cancel::check, cancel::cancel, nothing);
        IORING_OP_OPENAT => op(path::check_openat, path::openat, path::copy_one).with_credentials();
        IORING_OP_OPENAT2 => op(path::check_openat2, path::openat2, path::copy_openat2).with_credentials();
        IORING_OP_STATX => op(path::check_statx, path::statx, path::copy_one).with_credentials().unbroken(|_, _| true);
        IORING_OP_UNLINKAT => op(path::check_unlink, path::unlinkat, path::copy_one).with_credentials().unbroken(|_, _| true);
        IORING_OP_RENAMEAT => op(path::check_rename, path::renameat, path::copy_two).with_credentials().unbroken(|_, _| true);
        IORING_OP_MKDIRAT => op(path::check_mkdir, path::mkdirat, path::copy_one).with_credentials().unbroken(|_, _| true);
        IORING_OP_SYMLINKAT => op(path::check_symlink, path::symlinkat, path::copy_two).with_credentials().unbroken(|_, _| true);
        IORING_OP_LINKAT => op(path::check_link, path::linkat, path::copy_two).with_credentials().unbroken(|_, _| true);
        IORING_OP_SETXATTR => op(xattr::check_set, xattr::set, xattr::copy_set).with_credentials().unbroken(|_, _| true);
        IORING_OP_FSETXATTR => op(xattr::check_set, xattr::fset, xattr::copy_set).on_file().with_credentials().unbroken(common::had_file);
        IORING_OP_GETXATTR => op(xattr::check_get, xattr::get, xattr::copy_get).with_credentials().unbroken(|_, _| true);
        IORING_OP_FGETXATTR => op(xattr::check_get, xattr::fget, xattr::copy_get).on_file().with_credentials().unbroken(common::had_file);
        IORING_OP_CLOSE => op(misc::check_close, misc::close, nothing);
        IORING_OP_FILES_UPDATE => op(misc::check_files_update, misc::files_update, nothing);
        IORING_OP_EPOLL_CTL => op(misc::check_epoll_ctl, misc::epoll_ctl, misc::copy_epoll_ctl);
        IORING_OP_EPOLL_WAIT => op(misc::check_epoll_wait, misc::epoll_wait, nothing).on_file();
        IORING_OP_MSG_RING => op(misc::check_msg_ring, misc::msg_ring, nothing).on_file();
        IORING_OP_FIXED_FD_INSTALL => op(misc::check_install, misc::install, nothing).on_file();
        IORING_OP_WAITID => op(process::check_waitid, process::waitid, nothing);
        IORING_OP_FUTEX_WAIT => op(futex::check_one, futex::wait, futex::copy_one);
        IORING_OP_FUTEX_WAKE => op(futex::check_one, futex::wake, nothing);
        IORING_OP_FUTEX_WAITV => op(futex::check_several, futex::wait, futex::copy_several);
        IORING_OP_PIPE => op(misc::check_pipe, misc::pipe, nothing);
        IORING_OP_PROVIDE_BUFFERS => op(buffers::check_provide, buffers::provide, nothing);
        IORING_OP_REMOVE_BUFFERS => op(buffers::check_remove, buffers::remove, nothing);
        IORING_OP_SOCKET => op(socket::check_socket, socket::socket, nothing);
        IORING_OP_BIND => op(socket::check_bind, socket::bind, socket::copy_address).on_file();
        IORING_OP_LISTEN => op(socket::check_listen, socket::listen, nothing).on_file();
        IORING_OP_SHUTDOWN => op(socket::check_shutdown, socket::shutdown, nothing).on_file().unbroken(common::had_file);
        IORING_OP_ACCEPT => op(socket::check_accept, socket::accept, nothing).on_file().with_ioprio();
        IORING_OP_CONNECT => op(socket::check_connect, socket::connect, socket::copy_address).on_file();
        IORING_OP_SEND => op(message::check_send, message::send, message::copy_send).on_file().selecting().with_ioprio().beside_last();
        IORING_OP_RECV => op(receive::check_recv, receive::recv, nothing).on_file().selecting().with_ioprio().beside_last();
        IORING_OP_SENDMSG => op(message::check_send, message::sendmsg, message::copy).on_file().with_ioprio().beside_last();
        IORING_OP_RECVMSG => op(receive::check_recv, receive::recvmsg, message::copy).on_file().selecting().with_ioprio().beside_last();
        IORING_OP_URING_CMD => op(socket::check_command, socket::command, nothing).on_file().selecting();
        IORING_OP_URING_CMD128 => op(socket::check_command, socket::command, nothing).on_file().selecting();
        IORING_OP_SEND_ZC => op(zero_copy::check_zc, zero_copy::send_zc, message::copy_send).on_file().with_ioprio();
        IORING_OP_SENDMSG_ZC => op(zero_copy::check_zc, zero_copy::sendmsg_zc, message::copy).on_file().with_ioprio();
        IORING_OP_READ_MULTISHOT => op(read_multishot::check_multishot, read_multishot::read_multishot, nothing).on_file().selecting();
    }
}

/// Whether the opcode is served.
pub fn is_served(opcode: u8) -> bool {
    match opcode {
        n if n == IORING_OP_FUTEX_WAIT as u8 => crate::futex::is_served(),
        n if n == IORING_OP_FUTEX_WAITV as u8 => {
            crate::futex::has_several() && crate::futex::is_served()
        }
        _ => find(opcode).is_some(),
    }
}

/// The highest opcode that is served.
pub fn last_served() -> u8 {
    (0..IORING_OP_LAST as u8)
        .rev()
        .find(|opcode| is_served(*opcode))
        .unwrap_or(0)
}
