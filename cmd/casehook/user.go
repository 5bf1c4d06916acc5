package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/fault"
)

type userCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Create a user who can sign in."`
	List     userListCmd     `cmd:"" help:"List the users."`
	Disable  userDisableCmd  `cmd:"" help:"Keep a user from signing in, and end the user's sessions."`
	Enable   userEnableCmd   `cmd:"" help:"Let a user sign in again."`
	Roles    userRolesCmd    `cmd:"" help:"Set the role and the further roles of a user."`
	Password userPasswordCmd `cmd:"" help:"Give a user a new password, and end the user's sessions."`
}

type userCreateCmd struct {
	Email         string   `required:"" placeholder:"ADDRESS" help:"The user's address."`
	Name          string   `placeholder:"NAME" help:"The user's name, for people; the address if not set."`
	Role          string   `default:"viewer" enum:"admin,manager,caseworker,viewer" help:"The role: admin, manager, caseworker or viewer. viewer if not set."`
	FurtherRole   []string `placeholder:"NAME" help:"Further roles, by which case types know the user: town-officer. Repeat it, or separate by commas. None if not set."`
	Clearance     string   `default:"PUBLIC" enum:"PUBLIC,PRIVATE,RESTRICTED" help:"The highest visible classification: PUBLIC, PRIVATE or RESTRICTED. PUBLIC if not set."`
	PasswordStdin bool     `help:"Read the password from standard input. Without it, one is made and printed."`
	NoPassword    bool     `help:"The user has no password, and signs in with OpenID Connect."`
	remote
}

// Help is shown below the command's summary.
func (userCreateCmd) Help() string {
	return `A password has 12 to 200 characters. A generated one is printed, this once; the user may change it.

  casehook user create --email ada@example.org --name Ada --role caseworker --clearance PRIVATE`
}

func (c *userCreateCmd) Run(ctx context.Context, s stdio) error {
	password := ""
	if !c.NoPassword {
		var err error
		if password, err = newPassword(s, c.PasswordStdin); err != nil {
			return err
		}
	}
	body := map[string]any{"email": c.Email, "name": cmp.Or(c.Name, c.Email), "role": c.Role, "clearance": c.Clearance}
	if len(c.FurtherRole) > 0 {
		body["further_roles"] = c.FurtherRole
	}
	if password != "" {
		body["password"] = password
	}
	var made userRow
	if err := c.client().Post(ctx, "/v1/users", body, &made); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "user %d (%s): created\n", made.ID, made.Email); err != nil || c.NoPassword ||
		c.PasswordStdin {
		return err
	}
	return printPassword(s, password)
}

// newPassword returns the first line of standard input, or a generated password.
func newPassword(s stdio, stdin bool) (string, error) {
	if !stdin {
		return rand.Text(), nil
	}
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func printPassword(s stdio, password string) error {
	_, err := fmt.Fprintf(s.out, "The password, shown this once:\n\n  %s\n", password)
	return err
}

// userRow is a user in a list.
type userRow struct {
	ID        int64    `json:"id"`
	Email     string   `json:"email"`
	Name      string   `json:"name"`
	Role      string   `json:"role"`
	Further   []string `json:"further_roles"`
	Clearance string   `json:"clearance"`
	Password  bool     `json:"password"`
	Identity  *string  `json:"identity"`
	Disabled  bool     `json:"disabled"`
}

// rolesCell lists a role and further ones.
func rolesCell(role string, further []string) string {
	return strings.Join(append([]string{role}, further...), ", ")
}

// signsIn describes how a user signs in, in a few words.
func (u userRow) signsIn() string {
	var ways []string
	if u.Password {
		ways = append(ways, "password")
	}
	if u.Identity != nil {
		ways = append(ways, "OpenID")
	}
	if u.Disabled {
		return "disabled"
	}
	return cmp.Or(strings.Join(ways, ", "), "not yet")
}

type userListCmd struct{ listing }

// Help is shown below the command's summary.
func (userListCmd) Help() string {
	return `The oldest user is first.

  casehook user list
  casehook user list --json | jq -r 'select(.disabled) | .email'`
}

func (c *userListCmd) Run(ctx context.Context, s stdio) error {
	table := dev.Table{Columns: []string{"ID", "EMAIL", "NAME", "ROLE", "CLEARANCE", "SIGNS IN"},
		Shorten: []string{"EMAIL", "NAME"}}
	cells := func(u userRow) []string {
		return []string{
			strconv.FormatInt(u.ID, 10), u.Email, u.Name, rolesCell(u.Role, u.Further), u.Clearance, u.signsIn(),
		}
	}
	return dev.List(ctx, c.client(), c.output(s), dev.Listing[userRow]{Path: "/v1/users", Table: table, Row: cells})
}

// oneUser has the arguments of every command about one user.
type oneUser struct {
	User string `arg:"" help:"The user's address or id."`
	remote
}

// change changes the user.
func (o oneUser) change(ctx context.Context, with map[string]any) (u userRow, err error) {
	id, err := o.find(ctx)
	if err != nil {
		return u, err
	}
	path := "/v1/users/" + strconv.FormatInt(id, 10)
	err = o.client().Patch(ctx, path, with, &u)
	return u, err
}

// find returns the user's id.
func (o oneUser) find(ctx context.Context) (int64, error) {
	if id, err := strconv.ParseInt(o.User, 10, 64); err == nil {
		return id, nil
	}
	for u, err := range client.Each[userRow](ctx, o.client(), "/v1/users", nil) {
		if err != nil {
			return 0, err
		}
		if strings.EqualFold(u.Email, o.User) {
			return u.ID, nil
		}
	}
	return 0, fault.New(fault.NotFound, "user.unknown", "There is no user %q. casehook user list shows them.", o.User)
}

type userDisableCmd struct{ oneUser }

// Help is shown below the command's summary.
func (userDisableCmd) Help() string {
	return `The history of the user's actions stays. Tokens belong to no user: see casehook token list.

  casehook user disable ada@example.org`
}

func (c *userDisableCmd) Run(ctx context.Context, s stdio) error {
	u, err := c.change(ctx, map[string]any{"disabled": true})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "user %d (%s): disabled\n", u.ID, u.Email)
	return err
}

type userEnableCmd struct{ oneUser }

// Help is shown below the command's summary.
func (userEnableCmd) Help() string {
	return `The earlier password is valid again, if there is one.

  casehook user enable ada@example.org`
}

func (c *userEnableCmd) Run(ctx context.Context, s stdio) error {
	u, err := c.change(ctx, map[string]any{"disabled": false})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "user %d (%s): enabled\n", u.ID, u.Email)
	return err
}

type userRolesCmd struct {
	Role        string   `enum:",admin,manager,caseworker,viewer" default:"" placeholder:"ROLE" help:"The role: admin, manager, caseworker or viewer. As it is if not set."`
	FurtherRole []string `placeholder:"NAME" help:"All further roles, by which case types know the user: town-officer. Repeat it, or separate by commas. As they are if not set."`
	None        bool     `help:"The user has no further roles any more."`
	oneUser
}

// Help is shown below the command's summary.
func (userRolesCmd) Help() string {
	return `A further role is one of a case type's own roles, or one that its role_map names.

  casehook user roles ada@example.org --further-role town-officer,town-clerk
  casehook user roles ada@example.org --role manager
  casehook user roles ada@example.org --none`
}

// Validate refuses a command that would change nothing, or two things at once.
func (c *userRolesCmd) Validate() error {
	switch {
	case c.None && len(c.FurtherRole) > 0:
		return errors.New("--none takes away what --further-role gives: leave one of them out")
	case !c.None && len(c.FurtherRole) == 0 && c.Role == "":
		return errors.New("there is nothing to change: set --role, --further-role or --none")
	}
	return nil
}

func (c *userRolesCmd) Run(ctx context.Context, s stdio) error {
	with := map[string]any{}
	if c.Role != "" {
		with["role"] = c.Role
	}
	if c.None || len(c.FurtherRole) > 0 {
		with["further_roles"] = append([]string{}, c.FurtherRole...)
	}
	u, err := c.change(ctx, with)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "user %d (%s): %s\n", u.ID, u.Email, rolesCell(u.Role, u.Further))
	return err
}

type userPasswordCmd struct {
	PasswordStdin bool `help:"Read the password from standard input. Without it, one is made and printed."`
	oneUser
}

// Help is shown below the command's summary.
func (userPasswordCmd) Help() string {
	return `Administrators use it if a user forgot the password. A password has 12 to 200 characters. Users who know
theirs change it with POST /v1/session/password.

  casehook user password ada@example.org
  casehook user password ada@example.org --password-stdin < password.txt`
}

func (c *userPasswordCmd) Run(ctx context.Context, s stdio) error {
	password, err := newPassword(s, c.PasswordStdin)
	if err != nil {
		return err
	}
	u, err := c.change(ctx, map[string]any{"password": password})
	if err != nil {
		return err
	}
	const done = "user %d (%s): has a new password; all earlier sessions have ended\n"
	if _, err := fmt.Fprintf(s.out, done, u.ID, u.Email); err != nil || c.PasswordStdin {
		return err
	}
	return printPassword(s, password)
}
