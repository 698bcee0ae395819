//! The wires of a lab: two segments that meet only in the bastion.
//!
//! ```text
//!   client 192.0.2.100 ──outside── 192.0.2.10 bastion 198.51.100.10 ──inside── 198.51.100.11 web1, .12 web2, …
//! ```
//!
//! The addresses are those for documentation (RFC 5737). Each lab has a network namespace of its own with a bridge for each
//! segment and nothing else, so labs with the same addresses run side by side, and the machine's network is not touched.

use std::net::Ipv4Addr;

use anyhow::Result;
use nix::sched::{CloneFlags, unshare};

use crate::invocation::Invocation;
use crate::lifeline::Held;

/// One of the two segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Between clients and the bastion: 192.0.2.0/24.
    Outside,
    /// Between the bastion and the assets: 198.51.100.0/24.
    Inside,
}

impl Segment {
    /// The address of host number `host` on this segment.
    #[must_use]
    pub fn address(self, host: u8) -> Ipv4Addr {
        match self {
            Self::Outside => Ipv4Addr::new(192, 0, 2, host),
            Self::Inside => Ipv4Addr::new(198, 51, 100, host),
        }
    }

    fn bridge(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Inside => "inside",
        }
    }
}

/// One end of a wire, at its segment's bridge.
#[derive(Debug)]
struct Port {
    name: String,
    bridge: &'static str,
    host_pid: u32,
}

/// The namespace with the two bridges.
#[derive(Debug)]
pub struct Network {
    switch: Held,
    ports: Vec<Port>,
}

impl Network {
    /// Makes the two segments, nobody on them yet.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn start() -> Result<Self> {
        let switch = Held::start("network", "network-init", &[])?;
        let bridges = [Segment::Outside, Segment::Inside].map(|segment| {
            let bridge = segment.bridge();
            format!("link add {bridge} type bridge\nlink set {bridge} up\n")
        });
        ip(switch.pid(), &bridges.concat())?;
        Ok(Self {
            switch,
            ports: Vec::new(),
        })
    }

    /// Connects the host whose first process is `host_pid` to a segment, as its network device `device`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn plug(
        &mut self,
        host_pid: u32,
        device: &str,
        segment: Segment,
        address: Ipv4Addr,
    ) -> Result<()> {
        let port = format!("port{}", self.ports.len() + 1);
        let bridge = segment.bridge();
        self.ports.push(Port {
            name: port.clone(),
            bridge,
            host_pid,
        });
        ip(
            self.switch.pid(),
            &format!(
                "link add {port} type veth peer name {device} netns {host_pid}\n\
                 link set {port} master {bridge}\nlink set {port} up\n"
            ),
        )?;
        ip(
            host_pid,
            &format!(
                "link set lo up\naddress add {address}/24 dev {device}\nlink set {device} up\n"
            ),
        )
    }
}

impl Network {
    /// Nothing that the host sends arrives anywhere any more, and nothing reaches it; no end is told.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn cut(&self, host_pid: u32) -> Result<()> {
        self.each_port(host_pid, |port| {
            format!("link set {} nomaster\n", port.name)
        })
    }

    /// As before the cut.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn mend(&self, host_pid: u32) -> Result<()> {
        self.each_port(host_pid, |port| {
            format!("link set {} master {}\n", port.name, port.bridge)
        })
    }

    fn each_port(&self, host_pid: u32, line: impl Fn(&Port) -> String) -> Result<()> {
        let ports = self.ports.iter().filter(|port| port.host_pid == host_pid);
        ip(self.switch.pid(), &ports.map(line).collect::<String>())
    }
}

/// What the process of a network's namespace does: unshares it, says so, and waits.
///
/// # Errors
/// When the kernel refuses.
pub fn init() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    println!("{}", std::process::id());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

/// Runs lines of ip(8) in the network namespace of a process.
fn ip(pid: u32, batch: &str) -> Result<()> {
    let pid = pid.to_string();
    Invocation::new("nsenter")
        .args(["--target", &pid, "--net", "--", "ip", "-batch", "-"])
        .input(batch)
        .run()
        .success()?;
    Ok(())
}
