//! `whoami`: the user, and the login that this session belongs to.
#![forbid(unsafe_code)]

use crate::identity::Identity;
use crate::text::{harmless, json_line};
use jms::policy::FactorPolicy;
use serde_json::{Value, json};

/// A line for each fact.
#[must_use]
pub fn text(identity: &Identity, policy: &FactorPolicy, json: bool) -> String {
    let (user, login) = (&identity.user, &identity.login);
    let object = json!({
        "user": user.name,
        "role": user.role,
        "login": login.id,
        "key": login.key,
        "key_type": login.key_type,
        "source": login.source,
        "source_port": login.source_port,
        "factors": login.factors,
        "mfa": policy.demanded,
        "mfa_asked": policy.asked,
        "mfa_enrolled_at": policy.totp_since,
        "mfa_at": login.factor_at,
        "opened_at": login.opened_at,
        "valid_until": user.valid_until,
    });
    if json {
        return json_line(&object);
    }
    facts(&object)
}

/// The fields of an object, a line for each.
#[must_use]
pub fn facts(object: &Value) -> String {
    let fields = object.as_object().into_iter().flatten();
    let fields: Vec<(String, String)> = fields
        .map(|(name, value)| {
            let text = match value {
                Value::Null => "-".to_owned(),
                Value::String(text) => harmless(text),
                other => other.to_string(),
            };
            (name.replace('_', " "), text)
        })
        .collect();
    let width = fields
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0)
        .max(12);
    let line = |(name, text): &(String, String)| {
        format!("{}\n", format!("{name:width$} {text}").trim_end())
    };
    fields.iter().map(line).collect()
}
