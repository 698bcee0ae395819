//! An Ansible run over three assets, with pipelining and without: through ours, through the plain chain, and without a hop.

use std::time::{Duration, Instant};

use anyhow::Result;
use tests::boot::ASSET_ACCOUNT;
use tests::folder::ALICE;
use tests::host::PATH;
use tests::{Invocation, Lab, client_host};

use super::Row;
use crate::references::{CHAIN, Reference};
use crate::report::{Aim, Measured};
use crate::rounds::{Contender, OURS, Round, interleave};
use crate::workbench::{LITTLE, Needs, Workbench};

/// Fifty tasks on three assets.
pub const PLAYBOOK: Row = Row {
    name: "ansible",
    about: "an Ansible run of 50 tasks over 3 assets, pipelining on and off",
    needs: Needs {
        assets: &["web1", "web2", "web3"],
        references: &[
            Reference::Chain(1),
            Reference::Chain(2),
            Reference::Chain(3),
        ],
        warm: Some(60),
        ..LITTLE
    },
    play: playbook,
};

/// Fewer rounds than elsewhere: one takes minutes, of which Ansible itself uses most.
const ROUNDS: usize = 3;
const LONG: Duration = Duration::from_secs(560);
const DIRECT: &str = "direct";

/// Who runs Ansible, from where.
struct Seat<'a> {
    lab: &'a Lab,
    /// The host whose network it is in.
    network: &'a str,
    /// The inventory's lines.
    inventory: String,
}

fn playbook(bench: &Workbench) -> Result<Vec<Measured>> {
    grant(&bench.ours)?;
    for lab in [&bench.ours, &bench.plain] {
        let client = client_host::of_alice(lab);
        let known = std::fs::read_to_string(lab.folder().path().join("known_hosts"))?;
        client.write("/root/.ssh/known_hosts", known);
        client.write("/root/tasks.yml", tasks(bench.options.tasks));
    }
    let assets = PLAYBOOK.needs.assets;
    let lines = |line: &dyn Fn(usize, &str) -> String| -> String {
        assets
            .iter()
            .enumerate()
            .map(|(number, asset)| line(number, asset))
            .collect()
    };
    let bastion = |lab: &Lab| lab.address("bastion");
    let (ours_address, plain_address) = (bastion(&bench.ours), bastion(&bench.plain));
    let common = "ansible_ssh_common_args=\"-o HostKeyAlias=bastion\"";
    let ours = Seat {
        lab: &bench.ours,
        network: "client",
        inventory: lines(&|_, asset| {
            format!(
                "{asset} ansible_host={ours_address} ansible_user={ALICE}@{ASSET_ACCOUNT}@{asset} {common}\n"
            )
        }),
    };
    let chain = Seat {
        lab: &bench.plain,
        network: "client",
        inventory: lines(&|number, asset| {
            let port = PLAYBOOK
                .needs
                .references
                .get(number)
                .map_or(22, |it| it.port());
            format!(
                "{asset} ansible_host={plain_address} ansible_port={port} ansible_user={ALICE} {common}\n"
            )
        }),
    };
    let direct = Seat {
        lab: &bench.plain,
        network: "bastion",
        inventory: lines(&|_, asset| {
            let address = bench.plain.address(asset);
            let alias = format!("ansible_ssh_common_args=\"-o HostKeyAlias={asset}\"");
            format!("{asset} ansible_host={address} ansible_user={ASSET_ACCOUNT} {alias}\n")
        }),
    };
    let seats = [(DIRECT, &direct), (CHAIN.name(), &chain), (OURS, &ours)];
    for (name, seat) in seats {
        let path = format!("/root/{name}");
        seat.lab.host("client").write(path, &seat.inventory);
    }
    let mut rows = Vec::new();
    for pipelining in [true, false] {
        let contenders = seats
            .into_iter()
            .map(|(name, seat)| {
                Contender::with_warm_up(name, move |round| run(seat, name, pipelining, round))
            })
            .collect();
        let mut quantities = interleave(bench.options.rounds.min(ROUNDS), 1, contenders)?;
        let on = if pipelining { "on" } else { "off" };
        rows.push(Measured {
            what: format!(
                "Ansible, {} tasks on {} assets, pipelining {on}: wall",
                bench.options.tasks,
                assets.len()
            ),
            unit: "s",
            aim: Aim::None,
            series: quantities.remove(0),
        });
    }
    Ok(rows)
}

/// Everything on all assets, as for web1.
fn grant(ours: &Lab) -> Result<()> {
    let rest = PLAYBOOK
        .needs
        .assets
        .iter()
        .skip(1)
        .copied()
        .collect::<Vec<_>>()
        .join(",");
    let line = format!(
        "jmsctl grant add more --user {ALICE} --asset {rest} --system-user {ASSET_ACCOUNT} --rights shell,exec,upload,download </dev/null"
    );
    ours.bastion().run(line).success()?;
    Ok(())
}

/// Tasks of the kinds that playbooks have most.
fn tasks(count: u32) -> String {
    let task = |number: u32| match number % 5 {
        0 => format!(
            "    - ansible.builtin.copy: {{content: \"{number}\\n\", dest: \"/tmp/of-{number}\"}}\n"
        ),
        1 => format!(
            "    - ansible.builtin.file: {{path: \"/tmp/folder-{number}\", state: directory}}\n"
        ),
        2 => "    - ansible.builtin.stat: {path: /etc/passwd}\n".to_owned(),
        _ => {
            format!("    - ansible.builtin.command: \"echo {number}\"\n      changed_when: false\n")
        }
    };
    let list: String = (0..count).map(task).collect();
    format!("- hosts: all\n  gather_facts: false\n  tasks:\n{list}")
}

/// Seconds of one run, which begins without a connection. Ansible keeps its own to each host while it runs.
fn run(seat: &Seat, inventory: &str, pipelining: bool, round: Round) -> Result<Vec<f64>> {
    // The round that does not count is cut short.
    let tasks = match round {
        Round::WarmUp => "head -n 5 tasks.yml >little.yml; list=little.yml",
        Round::Counts => "list=tasks.yml",
    };
    let script = format!(
        "set -e; cd /root; {tasks}; export ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING={pipelining} ANSIBLE_INVENTORY=/root/{inventory}
        ansible-playbook $list >/root/said 2>&1 || {{ tail -n 20 /root/said >&2; exit 1; }}"
    );
    let begun = Instant::now();
    in_network(seat, &script).success()?;
    let took = begun.elapsed();
    let forget = "for path in ~/.ansible/cp/*; do [ -S $path ] && ssh -O exit -o ControlPath=$path any; done 2>/dev/null; true";
    in_network(seat, forget).success()?;
    Ok(vec![took.as_secs_f64()])
}

/// Bash with the client's files in the network of another host.
fn in_network(seat: &Seat, script: &str) -> tests::Outcome {
    let client = seat.lab.host("client").pid().to_string();
    let network = format!("--net=/proc/{}/ns/net", seat.lab.host(seat.network).pid());
    let path = format!("PATH={PATH}");
    Invocation::new("nsenter")
        .args([
            "--target", &client, "--mount", "--uts", "--ipc", "--pid", &network, "--",
        ])
        .args([
            "env",
            "-i",
            "HOME=/root",
            "USER=root",
            "LANG=C.UTF-8",
            &path,
            "bash",
            "-c",
            script,
        ])
        .within(LONG)
        .run()
}
