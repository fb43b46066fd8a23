//! The administrator's commands against a real server.
