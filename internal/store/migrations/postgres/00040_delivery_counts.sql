-- +goose Up
-- Attempts by time: for each endpoint (class is empty), and for all endpoints together that have reached the same
-- classification (endpoint is empty). They are written with the attempts.
create table delivery_counts (
    tenant    bigint not null,
    endpoint  text not null,
    class     text not null,
    span      bigint not null, -- microseconds
    start     bigint not null,
    writer    bigint not null, -- so that no transaction waits for another
    delivered bigint not null,
    failed    bigint not null,
    duration  bigint not null, -- microseconds, of all of them together
    primary key (tenant, endpoint, class, span, start, writer)
);
create index delivery_counts_by_start on delivery_counts (span, start);
