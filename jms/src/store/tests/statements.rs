//! What a statement costs beside what it does.

use super::*;
use rusqlite::StatementStatus;

#[test]
fn a_statement_is_compiled_once_whatever_it_is_asked() {
    let mut f = fixture();
    f.everyday();
    let sql = "SELECT g.name FROM user_group g JOIN user_group_member m ON m.user_group_id = g.id WHERE m.user_id = ?1 ORDER BY 1";
    let mut statement = f.store.connection.prepare(sql).unwrap();
    for user in 1..=3 {
        let mut rows = statement.query([user]).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
}
