package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/client"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Create a user who can sign in."`
}

type userCreateCmd struct {
	Email         string `required:"" placeholder:"ADDRESS" help:"The user's address."`
	Name          string `placeholder:"NAME" help:"The user's name, for people; the address if not set."`
	Role          string `default:"viewer" enum:"admin,manager,caseworker,viewer" help:"What the user may do: admin, manager, caseworker or viewer (if not set)."`
	Clearance     string `default:"PUBLIC" enum:"PUBLIC,PRIVATE,RESTRICTED" help:"The highest classification that the user may see: PUBLIC (if not set), PRIVATE or RESTRICTED."`
	PasswordStdin bool   `help:"Read the password from standard input; else one is made and printed."`
	NoPassword    bool   `help:"The user has no password, and signs in with OpenID Connect."`
	remote
}

func (c *userCreateCmd) Run(ctx context.Context, s stdio) error {
	password := ""
	switch {
	case c.NoPassword:
	case c.PasswordStdin:
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && line == "" {
			return fmt.Errorf("reading the password: %w", err)
		}
		password = strings.TrimRight(line, "\r\n")
	default:
		password = rand.Text()
	}
	body := map[string]any{"email": c.Email, "name": cmp.Or(c.Name, c.Email), "role": c.Role, "clearance": c.Clearance}
	if password != "" {
		body["password"] = password
	}
	var made struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	if err := c.client().Call(ctx, client.Request{Method: http.MethodPost, Path: "/v1/users", Body: body}, &made); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "user %d (%s): created\n", made.ID, made.Email); err != nil || c.NoPassword || c.PasswordStdin {
		return err
	}
	_, err := fmt.Fprintf(s.out, "The password, shown this once:\n\n  %s\n", password)
	return err
}
