-- As which system user others pass an asset that is their gateway.
ALTER TABLE asset ADD COLUMN gateway_system_user_id INTEGER REFERENCES system_user (id) ON DELETE SET NULL;
CREATE INDEX asset_by_gateway_system_user ON asset (gateway_system_user_id);
