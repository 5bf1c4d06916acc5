-- +goose Up
-- Attempts by time: for each endpoint (class is empty), and for all endpoints together that have reached the same
-- classification (endpoint is empty). They are written with the attempts.
create table delivery_counts (
    tenant    integer not null,
    endpoint  text not null,
    class     text not null,
    span      integer not null, -- microseconds
    start     integer not null,
    writer    integer not null, -- so that no transaction waits for another
    delivered integer not null,
    failed    integer not null,
    duration  integer not null, -- microseconds, of all of them together
    primary key (tenant, endpoint, class, span, start, writer)
);
create index delivery_counts_by_start on delivery_counts (span, start);
