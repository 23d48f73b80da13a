//! The wall around the network: a namespace that has a loopback of its own and nothing else.

use std::fmt::Display;
use std::io;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType};
use rustix::thread::UnshareFlags;

/// Leaves the network of the machine.
pub(super) fn leave() -> Result<(), String> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    match unshare(UnshareFlags::NEWNET) {
        Ok(()) => {}
        // Who may not do it here may in a user namespace of its own, where the system has those for everybody.
        Err(Errno::PERM) => {
            unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET).map_err(no_namespace)?;
            keep_identity(uid.as_raw(), gid.as_raw()).map_err(no_namespace)?;
        }
        Err(error) => return Err(no_namespace(error)),
    }
    raise_loopback().map_err(no_namespace)
}

fn no_namespace(error: impl Display) -> String {
    format!(
        "isolation \"strict\" needs a network namespace, which this system does not give: {error}"
    )
}

// The safe name is deprecated because of one flag, about file descriptors, which is not used here.
#[allow(deprecated)]
fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    rustix::thread::unshare(flags)
}

/// The user stays who it was, by name, too.
fn keep_identity(uid: u32, gid: u32) -> io::Result<()> {
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}

/// Asks for the flag `IFF_UP` on the interface that every namespace has.
fn raise_loopback() -> io::Result<()> {
    let socket = rustix::net::socket(
        AddressFamily::NETLINK,
        SocketType::RAW,
        // Protocol 0 of this family is rtnetlink.
        None,
    )?;
    rustix::net::send(&socket, &raise_request(), SendFlags::empty())?;
    let mut answer = [0_u8; 64];
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    // An error message: a header of 16 bytes, then the negative error number, 0 for none.
    let number = answer[..length]
        .get(16..20)
        .and_then(|bytes| bytes.try_into().ok());
    match number.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(number) => Err(io::Error::from_raw_os_error(-number)),
        None => Err(io::Error::other(
            "the answer about the loopback is cut short",
        )),
    }
}

/// rtnetlink(7): a `nlmsghdr` and an `ifinfomsg`, both 16 bytes, in the machine's own byte order.
fn raise_request() -> [u8; 32] {
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const LOOPBACK: u32 = 1;
    const IFF_UP: u32 = 1;
    let mut message = [0_u8; 32];
    message[..4].copy_from_slice(&32_u32.to_ne_bytes());
    message[4..6].copy_from_slice(&RTM_NEWLINK.to_ne_bytes());
    message[6..8].copy_from_slice(&REQUEST_AND_ACK.to_ne_bytes());
    message[20..24].copy_from_slice(&LOOPBACK.to_ne_bytes());
    message[24..28].copy_from_slice(&IFF_UP.to_ne_bytes());
    message[28..32].copy_from_slice(&IFF_UP.to_ne_bytes());
    message
}
