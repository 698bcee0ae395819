use super::*;
use proptest::prelude::*;

fn pieces(script: &str) -> Vec<String> {
    let mut reading = Script::new(Language::Shell);
    reading.push(script.as_bytes());
    let mut pieces = Vec::new();
    while let Some(piece) = reading.next_piece() {
        pieces.push(piece.text);
    }
    pieces.extend(reading.finish().map(|piece| format!("REST {}", piece.text)));
    pieces
}

#[test]
fn a_script_is_cut_where_a_shell_would_run_what_it_has() {
    for whole in [
        "ls\n",
        "\n",
        "# 'comment\n",
        "ls; id\n",
        "ls &\n",
        "ls |\n\n wc\n",
        "ls &&\nid\n",
        "ls \\\n-l\n",
        "echo 'a\nb'\n",
        "echo \"a\n$(ls\nid)\"\n",
        "cat <<E\nrm x\nE\n",
        "cat <<'E' <<F\na\nE\nb\nF\n",
        "if true\nthen\nrm x\nfi\n",
        "for x in 1 2\ndo\n ls\ndone\n",
        "while read x; do\n ls\ndone < f\n",
        "case x in\nx)\n ls\n;;\nesac\n",
        "{\nls\n}\n",
        "(\nls\n)\n",
        "f() {\nls\n}\n",
        "x=$(\nls\n)\n",
        "fi\n",
        "ls )\n",
    ] {
        assert_eq!(
            pieces(&format!("{whole}id\n")),
            [whole, "id\n"],
            "{whole:?}"
        );
        let without_end = whole.trim_end_matches('\n').to_owned();
        if !without_end.is_empty() {
            assert_eq!(pieces(&without_end), [format!("REST {without_end}")]);
        }
    }
    assert_eq!(pieces("if x\n"), ["REST if x\n"]);
}

#[test]
fn what_belongs_together_without_end_is_not_held_for_ever() {
    let long = format!("cat <<E\n{}", "text 'x\n".repeat(MAX_LENGTH / 4));
    let mut reading = Script::new(Language::Shell);
    reading.push(long.as_bytes());
    let first = reading.next_piece().unwrap();
    assert!(first.bytes.len() > MAX_LENGTH / 2 && first.bytes.len() <= MAX_LENGTH);
    // From then on nobody knows what is text and what is not: line by line, so that nothing hides in a quote.
    assert_eq!(reading.next_piece().unwrap().text, "text 'x\n");
    let mut reading = Script::new(Language::Shell);
    for _ in 0..=MAX_LENGTH / 1024 {
        assert_eq!(reading.next_piece(), None);
        reading.push(&[b'x'; 1024]);
    }
    assert_eq!(reading.next_piece().unwrap().bytes.len(), MAX_LENGTH + 1024);
    assert!(reading.is_empty());
    let deep = format!("{}\nid\n", "$(".repeat(100));
    assert_eq!(
        pieces(&deep),
        [format!("{}\n", "$(".repeat(100)), "id\n".to_owned()]
    );
}

#[test]
fn what_is_known_to_go_on_is_looked_at_again_when_a_line_ends() {
    let mut reading = Script::new(Language::Shell);
    reading.push("cat <<E\n".repeat(4_000).as_bytes());
    assert_eq!(reading.next_piece(), None);
    // As often as it comes: this would take minutes otherwise.
    for _ in 0..30_000 {
        reading.push(b"a");
        assert_eq!(reading.next_piece(), None);
    }
    reading.push(b"\nE\n");
    let length = 4_000 * "cat <<E\n".len() + 30_000 + "\nE\n".len();
    assert_eq!(reading.next_piece().unwrap().bytes.len(), length);
    let mut reading = Script::new(Language::Shell);
    reading.push(b"cat <<E\nls\n");
    assert_eq!(reading.next_piece(), None);
    reading.push(b"E");
    assert_eq!(reading.next_piece(), None);
    reading.push(b"\nid\n");
    assert_eq!(reading.next_piece().unwrap().text, "cat <<E\nls\nE\n");
    assert_eq!(reading.next_piece().unwrap().text, "id\n");
}

#[test]
fn another_language_goes_line_by_line() {
    let mut reading = Script::new(Language::Text);
    reading.push(b"def f():\n  return '''\n");
    assert_eq!(reading.next_piece().unwrap().text, "def f():\n");
    assert_eq!(reading.next_piece().unwrap().text, "  return '''\n");
    assert_eq!(reading.next_piece(), None);
}

proptest! {
    #[test]
    fn not_a_byte_is_lost_or_changed(
        chunks in prop::collection::vec(prop::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\''), Just(b'a'), Just(b';'), Just(b'('), any::<u8>()
        ], 0..20), 0..20),
    ) {
        let mut reading = Script::new(Language::Shell);
        let mut given = Vec::new();
        for chunk in &chunks {
            reading.push(chunk);
            while let Some(piece) = reading.next_piece() {
                prop_assert_eq!(piece.bytes.len(), piece.text.len());
                prop_assert!(piece.bytes.ends_with(b"\n"));
                given.extend(piece.bytes);
            }
        }
        given.extend(reading.take_all());
        prop_assert!(reading.is_empty());
        prop_assert_eq!(given, chunks.concat());
    }
}
