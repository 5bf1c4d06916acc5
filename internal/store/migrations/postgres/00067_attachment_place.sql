-- +goose Up
-- Where the contents of attachments are; one row, which the first start that keeps any writes.
create table attachment_place (
    one    bigint primary key check (one = 1),
    place  text not null, -- disk, database, or the address of a bucket
    target text not null, -- where they are being moved to; empty: nowhere
    former text not null  -- where they were moved from, until that is emptied; empty: nowhere
);
