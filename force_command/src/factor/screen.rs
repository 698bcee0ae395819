//! The enrolment screen: a secret as a QR code and as text, a code that proves that the phone has it, recovery codes.
//!
//! Wrong proofs are not counted against anybody: who sees the screen sees the secret.
#![forbid(unsafe_code)]

use super::conversation::{Conversation, Left};
use super::qr::{Code, Style};
use crate::message::factor::Factor as Says;
use crate::message::say;
use jms::factor::{Enrolment, RecoveryCode, Typed};
use jms::secret::SecretString;
use zeroize::Zeroizing;

/// What was typed below the code.
enum Wish {
    Another,
    Leave,
    Proof(Typed),
}

/// Shows a new secret until `confirm` takes what was typed for a proof that it arrived, and returns what that gave.
/// `bastion`: how people call it.
///
/// # Errors
/// [`Left`].
pub fn prove<T>(
    conversation: &Conversation<'_>,
    heading: &Says<'_>,
    (user, bastion): (&str, &str),
    enrolment: &Enrolment,
    confirm: &mut dyn FnMut(&Typed) -> Result<Option<T>, Left>,
) -> Result<T, Left> {
    let uri = enrolment.uri(user, bastion);
    let code = Code::of(uri.expose());
    let environment = &conversation.start().environment;
    let plain = conversation.terminal().is_plain();
    let mut style = Style::fitting(plain, environment.own_locale());
    conversation.show(heading);
    loop {
        conversation.show(Says::Scan(enrolment.totp().digits.count()));
        conversation.show_secret(&in_fours(&enrolment.totp().secret.to_base32()));
        conversation.show(Says::Prove);
        let fits = |code: &&Code| code.columns(style) <= conversation.terminal().size().columns;
        let drawn = code.as_ref().filter(fits);
        match (drawn, &code) {
            (Some(code), _) => conversation.show_secret(&code.draw(style)),
            (None, Some(code)) => conversation.show(Says::TooNarrow(code.columns(style))),
            (None, None) => {}
        }
        loop {
            let line = conversation.ask(&Says::ProofPrompt)?;
            match wish(&line) {
                Wish::Another => break,
                Wish::Leave => return Err(conversation.give_up()),
                Wish::Proof(typed) => {
                    if let Some(done) = confirm(&typed)? {
                        return Ok(done);
                    }
                    say(Says::NotProven);
                }
            }
        }
        // What the window was too narrow for is tried once more.
        if drawn.is_some() {
            style = style.next();
        }
    }
}

/// Shows recovery codes until the person says that they are noted, and wipes the screen.
///
/// # Errors
/// [`Left`]: the codes are good all the same, and `mfa recovery` makes new ones.
pub fn hand_over(conversation: &Conversation<'_>, codes: &[RecoveryCode]) -> Result<(), Left> {
    conversation.show(Says::Recovery);
    let mut text = Zeroizing::new(String::with_capacity(codes.len() * 24));
    for pair in codes.chunks(2) {
        for code in pair {
            text.push_str("   ");
            text.push_str(code.expose());
        }
        text.push('\n');
    }
    conversation.show_secret(&text);
    loop {
        let answer = conversation.ask(&Says::NotedPrompt)?;
        if answer.expose().trim().eq_ignore_ascii_case("yes") {
            conversation.wipe();
            return Ok(());
        }
        say(Says::NotNoted);
    }
}

fn wish(line: &SecretString) -> Wish {
    match line.expose().trim() {
        "d" | "D" => Wish::Another,
        "q" | "Q" => Wish::Leave,
        text => Wish::Proof(Typed::parse(text.as_bytes())),
    }
}

/// A secret in groups of four, as people copy it.
fn in_fours(secret: &SecretString) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(secret.expose().len() * 2 + 8));
    text.push_str("   ");
    for (place, c) in secret.expose().chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push(' ');
        }
        text.push(c);
    }
    text.push('\n');
    text
}
