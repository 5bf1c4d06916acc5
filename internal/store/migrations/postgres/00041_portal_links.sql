-- +goose Up
-- The holder of a link's secret sees and repairs the messages of one endpoint, or of the endpoints that have a value in
-- their metadata, until the link expires.
create table portal_links (
    id             text primary key,
    tenant         bigint not null,
    name           text not null,
    endpoint       text not null, -- '': those with the value
    metadata_key   text not null,
    metadata_value text not null,
    role           text not null, -- of the link's maker
    clearance      text not null, -- at most that of the link's maker
    hash           bytea not null, -- of the secret
    created_by     text not null,
    created_at     bigint not null,
    expires_at     bigint not null
);
create index portal_links_by_tenant on portal_links (tenant, id);
create index portal_links_by_time on portal_links (expires_at);
alter table sessions add column portal_link text not null default ''; -- '': it is a user's
create index sessions_by_portal_link on sessions (portal_link) where portal_link <> '';
