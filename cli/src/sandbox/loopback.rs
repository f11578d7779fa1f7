//! Brings up `lo` in a network namespace of our own: one netlink message, no program needed.

use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

/// `RTM_NEWLINK` of rtnetlink(7).
const NEW_LINK: u16 = 16;
/// `NLM_F_REQUEST | NLM_F_ACK`
const REQUEST_AND_ANSWER: u16 = 1 | 4;
/// `lo` is the first device of every namespace.
const LO: i32 = 1;
/// `IFF_UP`
const UP: u32 = 1;

/// Says that `lo` is up, and waits until the kernel agrees.
pub(super) fn up() -> io::Result<()> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    sendto(socket.as_raw_fd(), &message(), &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 1024];
    let bytes = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // nlmsghdr is 16 bytes; what follows in an answer is the error number, 0 for none.
    let Some(code) = answer[..bytes].get(16..20) else { return Err(io::Error::other("a short answer")) };
    match i32::from_ne_bytes([code[0], code[1], code[2], code[3]]) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(-code)),
    }
}

/// `struct nlmsghdr` and `struct ifinfomsg`, in the machine's own byte order.
fn message() -> Vec<u8> {
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST_AND_ANSWER.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(LO.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message
}
