-- +goose Up
-- Who made an endpoint, or last pointed it somewhere: "user/7" or "token/tok_...". It
-- hears of no case that they may not read. Empty: nobody, who may read what is
-- narrowed to no roles; what was there before is nobody's until somebody takes it over.

alter table endpoints add column owner text not null default '';
