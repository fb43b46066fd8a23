//! A token that is shown once, and whether there is a place for it.

use std::fs;

use crate::house::House;

#[test]
fn no_token_is_made_that_could_not_be_kept() {
    let house = House::open();
    house.told(&["token", "create", "supervisor", "night", "--yes", "--token-out", "night.token"]);
    let again =
        ["token", "create", "supervisor", "night", "--yes", "--token-out", "no/such/directory/new.token"];
    house.ask(&again).refused(2, &["cannot be made", "no token was made"]);
    assert_eq!(
        house.ask(&["line", "list", "--token-file", "night.token"]).code,
        0,
        "the old one is still good"
    );
    house
        .ask(&["operator", "add", "li-na", "--token-out", "no/such/directory/li-na.token"])
        .refused(2, &["cannot be made"]);
    assert_eq!(house.told(&["operator", "list", "-o", "name"]), "");
}

#[test]
fn where_no_token_was_made_no_file_is_left() {
    let house = House::open();
    house
        .ask(&["operator", "add", "li-na", "--team", "nobodys", "--token-out", "li-na.token"])
        .refused(1, &["there is no team"]);
    assert!(!house.path("li-na.token").exists());
    house.told(&["operator", "add", "li-na", "--token-out", "li-na.token"]);
    let token = fs::read_to_string(house.path("li-na.token")).expect("the file");
    assert!(token.starts_with("hl_") && token.ends_with('\n') && token.lines().count() == 1);
}
