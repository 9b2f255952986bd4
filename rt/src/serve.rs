//! The image of tests as a server: it is started once and forks a process for each test, so that each test finds memory as a fresh process does, for the
//! price of a fork.
//!
//! Standard input is a socket. A request is the number of a test, eight bytes; the answer, when the test has ended, its wait status, eight bytes. What tests
//! print goes where the server's streams go. No more requests: the server ends. A test that takes too long is killed by whoever asked, with its server.

use crate::system;

/// Gives the number of the next test to the process that is to run it.
pub fn next() -> i64 {
    system::die_with_parent();
    loop {
        let mut request = [0; 8];
        if !system::read_all(system::STDIN, &mut request) {
            system::exit(0);
        }
        let status = match system::fork() {
            Some(0) => {
                system::die_with_parent();
                // Tests read nothing, least of all the requests for others.
                system::empty_input();
                return i64::from_le_bytes(request);
            }
            Some(child) => system::wait(child),
            None => None,
        };
        // No process ends with this status.
        let status = status.map_or(-1, i64::from);
        if system::write_all(system::STDIN, &status.to_le_bytes()).is_err() {
            system::exit(0);
        }
    }
}
