//! The compiled `jmsctl`, as root calls it, on throw-away bastions.

mod access;
mod at_once;
mod bastion;
mod csv_file;
mod evidence;
mod examples;
mod filters;
mod groups;
mod init;
mod journal;
mod keys;
mod locks;
mod login_rules;
mod overrides;
mod passwords;
mod policy;
mod policy_file;
mod privilege;
mod scan;
mod system_user;
mod terminal;
mod usage;
