//! Whatever comes through the socket: no message, or one whose only form is these very bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_jms_protocol::{Frame, HEADER_LEN, HelperMessage, ModuleMessage, limits};

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let Ok(frame) = Frame::read(&mut rest) else {
        return;
    };
    let message = &data[..data.len() - rest.len()];
    assert!(message.len() <= HEADER_LEN + limits::BODY);
    if let Ok(said) = ModuleMessage::from_frame(&frame) {
        if let ModuleMessage::Response(response) = &said {
            assert!(response.expose().len() <= limits::RESPONSE);
            assert!(!response.expose().contains(&0));
            // Never printed, whatever it is.
            assert_eq!(format!("{said:?}"), "Response(Response(…))");
        }
        assert_eq!(
            *said.to_frame().expect("can be said again").to_bytes(),
            message
        );
        assert!(HelperMessage::from_frame(&frame).is_err());
    }
    if let Ok(said) = HelperMessage::from_frame(&frame) {
        assert_eq!(
            *said.to_frame().expect("can be said again").to_bytes(),
            message
        );
        match said {
            HelperMessage::Refuse(refuse) => {
                assert!(!refuse.message.chars().any(char::is_control));
            }
            // Shown to a person as it is.
            HelperMessage::Prompt(prompt) => {
                assert!(prompt.text.len() <= limits::PROMPT);
                assert!(!prompt.text.chars().any(char::is_control));
            }
            HelperMessage::Allow(_) => {}
        }
    }
});
