//! Neighbours that the package must leave alone, or that it must not trust.

use tests::Lab;

#[test]
fn a_local_user_whose_uid_lies_in_our_range_is_left_alone() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    bastion
        .run("useradd --create-home --shell /bin/bash --uid 70500 carol; echo 'carol:a long password' | chpasswd")
        .expect_status(0);
    bastion
        .run("su carol -c 'id -un'")
        .expect_status(0)
        .expect_stdout("carol\n");
    // Nor does a virtual user take over the uid of a local one.
    bastion
        .run("usermod --non-unique --uid 70000 carol && getent passwd 70000; getent passwd alice")
        .expect_stdout_contains("carol:")
        .expect_stdout_lacks("alice:");
}

#[test]
fn a_service_user_gone_bad_gains_nothing_from_the_next_installation() {
    let lab = Lab::everyday();
    let bastion = lab.bastion();
    let before = bastion.run("stat -c '%U:%G %a' /etc /root").text();
    bastion
        .run(
            "setpriv --reuid=jms --regid=jms --init-groups -- sh -c '
                 cd /var/lib/jms && for f in public recordings; do mv $f $f.away; done
                 ln -s /etc public; ln -s /root recordings
                 rm -rf /run/jms/egress; ln -s /etc /run/jms/egress'",
        )
        .expect_status(0);
    // It may complain, and it must not help.
    let again = "DEBIAN_FRONTEND=noninteractive DPKG_MAINTSCRIPT_PACKAGE=jms /var/lib/dpkg/info/jms.postinst configure 0.1.0";
    let _ = bastion.run(again);
    assert_eq!(bastion.run("stat -c '%U:%G %a' /etc /root").text(), before);
    bastion
        .run("getent passwd jms | cut -d: -f6")
        .expect_stdout("/nonexistent\n");
}
