//! The way to an asset: the assets through which it is reached, however many.
//!
//! What is written is checked, and checked again when it is read: an older program, or a hand on the file, may
//! have left a circle.

use super::change::Change;
use super::error::StoreError;
use super::read::Read;
use crate::nouns::Asset;
use crate::policy::access::Obstacle;

/// So many gateways may stand one behind the other.
const LONGEST: usize = 8;

/// The gateways of an asset.
pub(super) struct Gateways {
    /// In the order in which they are passed.
    pub(super) assets: Vec<Asset>,
    /// Why the way cannot be gone.
    pub(super) obstacle: Option<Obstacle>,
}

impl Read<'_> {
    /// The way to `asset`, from the first gateway to the last.
    pub(super) fn gateways(self, asset: &Asset) -> Result<Gateways, StoreError> {
        let mut assets: Vec<Asset> = Vec::new();
        let mut obstacle = None;
        let mut next = asset.gateway.clone();
        while let Some(name) = next {
            if name == asset.name || assets.iter().any(|passed| passed.name == name) {
                obstacle = Some(Obstacle::Circle(name));
                break;
            }
            if assets.len() == LONGEST {
                obstacle = Some(Obstacle::TooLong);
                break;
            }
            let gateway = self.asset(&name)?;
            if gateway.gateway_system_user.is_none() {
                obstacle.get_or_insert(Obstacle::NoSystemUser(name));
            } else if !gateway.active {
                obstacle.get_or_insert(Obstacle::Inactive(name));
            }
            next = gateway.gateway.clone();
            assets.push(gateway);
        }
        assets.reverse();
        Ok(Gateways { assets, obstacle })
    }
}

impl Change<'_> {
    /// Refuses a way that could never be gone: to be called when the asset is written.
    pub(super) fn check_way(&self, asset: &Asset) -> Result<(), StoreError> {
        let refused = |sentence| Err(StoreError::Refused { sentence });
        match self.read().gateways(asset)?.obstacle {
            Some(Obstacle::Circle(_)) => {
                return refused(format!(
                    "{} would be reached through itself; give it another gateway, or none",
                    asset.name
                ));
            }
            Some(Obstacle::TooLong) => {
                return refused(format!(
                    "{} would be reached through more than {LONGEST} gateways",
                    asset.name
                ));
            }
            Some(Obstacle::NoSystemUser(gateway)) => {
                return refused(format!(
                    "{gateway} has no system user to pass it as; first: jmsctl asset set {gateway} --gateway-system-user NAME"
                ));
            }
            // It may be switched on again.
            Some(Obstacle::Inactive(_)) | None => {}
        }
        if asset.gateway_system_user.is_none() {
            let behind = self.read().texts(
                "SELECT b.name FROM asset b JOIN asset g ON g.id = b.gateway_id WHERE g.name = ?1 ORDER BY 1 LIMIT 5",
                [&asset.name],
            )?;
            if !behind.is_empty() {
                return refused(format!(
                    "{} is the gateway of {}, and without a system user nobody could pass it",
                    asset.name,
                    behind.join(", ")
                ));
            }
        }
        Ok(())
    }
}
