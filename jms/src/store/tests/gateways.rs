//! Ways through gateways.

use super::*;

#[test]
fn a_way_through_itself_or_through_a_gateway_that_nobody_can_pass_is_refused() {
    let mut f = fixture();
    f.everyday();
    let gate = |name: &str, gateway: Option<&str>| Asset {
        gateway_system_user: Some("dev".into()),
        gateway: gateway.map(str::to_owned),
        ..Asset::new(name, "192.0.2.1", NOW)
    };
    f.change(|change| {
        change.add_asset(&gate("g1", None))?;
        change.add_asset(&gate("g2", Some("g1")))?;
        change.add_asset(&gate("g3", Some("g2")))
    })
    .unwrap();
    let refused = |f: &mut Fixture, asset: &Asset| {
        let error = f.change(|change| change.set_asset(asset)).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        error.to_string()
    };
    for (name, gateway) in [("g1", "g1"), ("g1", "g2"), ("g1", "g3")] {
        let sentence = refused(&mut f, &gate(name, Some(gateway)));
        assert!(sentence.contains("its own gateway") || sentence.contains("itself"));
    }
    let closed = Asset {
        gateway_system_user: None,
        ..gate("g2", Some("g1"))
    };
    assert!(refused(&mut f, &closed).contains("is the gateway of g3"));

    // By hand, a circle beside the asset's own way.
    let sql =
        "UPDATE asset SET gateway_id = (SELECT id FROM asset WHERE name = 'g2') WHERE name = 'g1'";
    f.store.connection.execute(sql, []).unwrap();
    let read = f.store.read();
    let found = read.gateways(&read.asset("g3").unwrap()).unwrap();
    assert_eq!(
        found.obstacle.unwrap().to_string(),
        "the way leads through g2 twice"
    );
}

#[test]
fn a_gateway_is_not_removed_from_under_what_lies_behind_it() {
    let mut f = fixture();
    f.everyday();
    f.change(|change| {
        change.add_asset(&Asset {
            gateway_system_user: Some("dev".into()),
            ..Asset::new("gate", "192.0.2.1", NOW)
        })?;
        change.add_asset(&Asset {
            gateway: Some("gate".into()),
            ..Asset::new("inner", "192.0.2.2", NOW)
        })
    })
    .unwrap();
    assert!(matches!(
        f.change(|change| change.remove_asset("gate")),
        Err(StoreError::Refused { .. })
    ));
    // Not even by hand.
    assert!(
        f.store
            .connection
            .execute("DELETE FROM asset WHERE name = 'gate'", [])
            .is_err()
    );
}
