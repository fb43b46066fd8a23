-- What is asked of a person: the calls of one caller, and who called since.
CREATE INDEX call_record_by_caller ON call_record (site, caller_ref, first_seq);
CREATE INDEX call_record_by_time ON call_record (site, wall_us, caller_ref);
