//! Ten thousand assets from one table: in at most ten seconds, with a bar, all or none.

use tests::Lab;

const MANY: usize = 10_000;

fn table(last_port: &str) -> String {
    let rows = (1..MANY).map(|number| {
        let (high, low) = (number / 250, number % 250 + 1);
        format!(
            "host{number},10.9.{high}.{low},22,\"/bulk/{}\"\n",
            number % 100
        )
    });
    let last = format!("host{MANY},10.9.200.1,{last_port},/bulk/0\n");
    let head = "name,address,port,asset_groups\n".to_owned();
    std::iter::once(head)
        .chain(rows)
        .chain(std::iter::once(last))
        .collect()
}

fn count(lab: &Lab) -> usize {
    let listed = lab
        .bastion()
        .run("jmsctl asset ls 'host*' --columns name --json");
    listed.expect_status(0).text().lines().count()
}

#[test]
fn ten_thousand_assets_come_from_a_table_in_ten_seconds_with_a_bar() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion.write("/root/wrong.csv", table("many"));
    bastion.write("/root/assets.csv", table("22"));
    // The last line is wrong: nothing is done, and it says which.
    bastion
        .run("jmsctl asset add --csv /root/wrong.csv --quiet")
        .expect_status(2)
        .expect_stderr_contains(&format!("line {}", MANY + 1))
        .expect_stderr_contains("nothing was added");
    assert_eq!(count(&lab), 0);

    // On a terminal, for the bar; its processor's time counts, which a busy machine does not change.
    let script =
        "TIMEFORMAT='took %R %U %S'; time jmsctl asset add --csv /root/assets.csv > /tmp/added";
    bastion.write("/root/add", script);
    let shown = bastion
        .run("TERM=xterm script -qec 'stty cols 80; bash /root/add' /dev/null")
        .expect_status(0)
        .text();
    assert!(shown.contains("/10000"), "no bar in {shown:?}");
    let times: Vec<f64> = shown
        .split("took ")
        .nth(1)
        .unwrap_or_else(|| panic!("no times in {shown:?}"))
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    println!("10,000 assets: {times:?} s (clock, user, system)");
    assert!(times[1] + times[2] <= 10.0, "{times:?}");
    assert_eq!(count(&lab), MANY);
    // And whoever was there is still served.
    lab.client()
        .ssh(["alice@dev@web1@bastion", "id -un"])
        .expect_stdout("dev\n");
}
