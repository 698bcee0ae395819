//! Somebody at work on an asset: reads logs, edits a file, builds, looks around. Types as people type, and reads what comes.

use std::time::{Duration, Instant};

use anyhow::Result;
use tests::{Host, Terminal};

/// What is worked on: a few sources, a script that compiles them, a log that grows.
pub fn prepare(asset: &Host) -> Result<()> {
    let script = r#"
        mkdir -p /srv/project && cd /srv/project
        for number in $(seq 12); do
            printf '/* Part %d: answers requests. */\n#include <stdio.h>\n\n' $number
            for line in $(seq 40); do
                printf 'int request_%d_%d(int size)\n{\n\tif (size > %d)\n\t\treturn printf("too many of them: %%d\\n", size);\n\treturn size + %d;\n}\n\n' $number $line $((line * 7919 % 997)) $line
            done
        done >all.c
        split -n l/12 --additional-suffix=.c all.c part-
        cat >build <<'BUILD'
#!/bin/bash
for source in part-*.c; do
    echo "cc -O1 -Wall -Wextra -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -I. -c -o /tmp/$$-${source%.c}.o $source"
    printf '#include <stdio.h>\nint part(void) { return printf("%%d", 1); }\n' | cc -O1 -x c -c -o /tmp/$$.o - ; sleep 0.2
done
rm -f /tmp/$$.o; echo "ar rcs /tmp/libparts.a"; echo "build finished"
BUILD
        chmod 755 build
        awk 'BEGIN { for (i = 0; i < 3000; i++) printf "2026-11-21T10:%02d:%02d web1 app[%d]: request %d answered in %d ms\n", i/60%60, i%60, i%997, i*7919, i%431 }' >app.log
        chmod 666 app.log
        (for number in $(seq 100000); do
            printf '2026-11-21T11:%02d:%02d web1 app[%d]: request %d answered in %d ms\n' $((number / 60 % 60)) $((number % 60)) $((number % 997)) $((number * 7919)) $((number % 431)) >>app.log
            sleep 0.5
        done) >/dev/null 2>&1 </dev/null &"#;
    asset.run(script).success()?;
    Ok(())
}

/// One of them, at a terminal with a shell.
#[derive(Debug)]
pub struct Person {
    terminal: Terminal,
    /// Where in a row of pauses that is the same for the same person.
    dice: u64,
    until: Instant,
}

impl Person {
    /// Sits down; the shell is there.
    ///
    /// # Panics
    /// When it does not come.
    pub fn new(mut terminal: Terminal, number: usize) -> Self {
        terminal.expect("dev@web1");
        Self {
            terminal,
            dice: 1 + number as u64,
            until: Instant::now(),
        }
    }

    /// Works for so long.
    pub fn work(&mut self, time: Duration) {
        self.until = Instant::now() + time;
        let doings: [fn(&mut Self); 8] = [
            Self::looks_around,
            Self::edits,
            Self::builds,
            Self::reads_the_log,
            Self::follows_the_log,
            Self::searches,
            Self::edits,
            Self::watches_processes,
        ];
        let mut next = self.dice as usize;
        self.line("cd /srv/project");
        while self.has_time() {
            if let Some(doing) = doings.get(next % doings.len()) {
                doing(self);
            }
            next += 1;
        }
    }

    /// Goes.
    ///
    /// # Panics
    /// When the session does not end as a shell ends.
    pub fn leave(mut self) {
        self.terminal.send_line("exit 0");
        drop(self.terminal.wait().expect_status(0));
    }

    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// A number below `most`, by a linear congruential generator (Knuth's constants).
    fn below(&mut self, most: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % most
    }

    /// Reads what comes for a time around this one.
    fn reads(&mut self, milliseconds: u64) {
        let more = self.below(milliseconds);
        self.terminal
            .drain(Duration::from_millis(milliseconds / 2 + more));
    }

    /// Types, key by key, about five a second.
    fn types(&mut self, text: &str) {
        for key in text.chars() {
            self.terminal.send(key.to_string());
            self.reads(180);
        }
    }

    /// Types a line, sometimes with a slip, and reads what it says.
    fn line(&mut self, text: &str) {
        if self.below(3) == 0 {
            self.types("sl\x7f\x7f");
        }
        self.types(text);
        self.terminal.send("\r");
        self.reads(3_500);
    }

    fn looks_around(&mut self) {
        self.line("ls -la /etc | head -n 50");
        self.line("df -h");
        self.line("ls");
    }

    fn edits(&mut self) {
        self.line("vim part-ac.c");
        for keys in [
            "jjjjjjjj",
            "/return\r",
            "nnn",
            "\x04",
            "\x04",
            "O\t/* Sizes above the limit are refused here. */\x1b",
            "\x15",
            "u",
            "\x04",
        ] {
            self.types(keys);
            self.reads(1_800);
            if !self.has_time() {
                break;
            }
        }
        self.types("\x1b:q!\r");
        self.reads(1_500);
    }

    fn builds(&mut self) {
        self.line("./build");
        self.reads(2_500);
    }

    fn reads_the_log(&mut self) {
        self.line("less app.log");
        for key in [" ", " ", " ", " ", "/answered in 42\r", "n", "b"] {
            self.types(key);
            self.reads(2_200);
        }
        self.types("q");
        self.reads(800);
    }

    fn follows_the_log(&mut self) {
        self.line("tail -f app.log");
        self.reads(8_000);
        self.terminal.send("\x03");
        self.reads(1_500);
    }

    fn searches(&mut self) {
        self.line("grep -n 'too many' part-*.c | head -n 25");
        self.line("wc -l part-*.c app.log");
    }

    fn watches_processes(&mut self) {
        self.line("ps aux | head -n 20");
        self.line("uptime");
    }
}
