package main

import (
	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/dev"
)

// remote has the options of every command that calls a server.
type remote struct {
	Server serverURL `default:"http://127.0.0.1:8080" placeholder:"URL" env:"CASEHOOK_SERVER" help:"URL of the server. http://127.0.0.1:8080 if not set."`
	Token  string    `placeholder:"TOKEN" env:"CASEHOOK_TOKEN" help:"A token of the server; better set the variable, because others can see command lines."`
}

func (r remote) client() *client.Client {
	return &client.Client{Server: string(r.Server), Token: r.Token, TokenFrom: "The token (CASEHOOK_TOKEN or --token)"}
}

// listing has the options of every command that lists things of a server.
type listing struct {
	JSON bool `name:"json" help:"Print one JSON object a line, with all details."`
	remote
}

func (l listing) output(s stdio) dev.Output { return dev.Output{Out: s.out, JSON: l.JSON} }
