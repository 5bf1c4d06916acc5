package main

import (
	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/dev"
)

// remote is what a command that talks to a server needs to know.
type remote struct {
	Server serverURL `default:"http://127.0.0.1:8080" placeholder:"URL" env:"CASEHOOK_SERVER" help:"URL of the server. http://127.0.0.1:8080 if not set."`
	Token  string    `placeholder:"TOKEN" env:"CASEHOOK_TOKEN" help:"A token of the server; better set the variable, because others can see command lines."`
}

func (r remote) client() *client.Client {
	return &client.Client{Server: string(r.Server), Token: r.Token, TokenFrom: "The token (CASEHOOK_TOKEN or --token)"}
}

// listing is what a command that lists things of a server needs to know.
type listing struct {
	JSON bool `name:"json" help:"Print one JSON object a line, with all details."`
	remote
}

func (l listing) output(s stdio) dev.Output { return dev.Output{Out: s.out, JSON: l.JSON} }
