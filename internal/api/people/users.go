package people

import (
	"context"
	"net/http"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// User is a person of the tenant.
type User struct {
	ID        int64     `json:"id" doc:"The user's id." example:"7"`
	Email     string    `json:"email" doc:"The user's address, in lower case." example:"ada@example.org"`
	Name      string    `json:"name" doc:"The user's name, which receivers and the history show." example:"Ada Lovelace"`
	Role      string    `json:"role" enum:"admin,manager,caseworker,viewer" doc:"The user's role." example:"caseworker"`
	Further   []string  `json:"further_roles" doc:"The user's further roles, by which case types know the user; none: no roles." example:"[\"town-officer\"]"`
	Clearance string    `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that the user may see." example:"PRIVATE"`
	Password  bool      `json:"password" doc:"Whether the user has a password." example:"true"`
	Identity  *string   `json:"identity" doc:"The OpenID Connect issuer that the user has signed in with; null: none." example:"https://id.example.org"`
	Disabled  bool      `json:"disabled" doc:"Whether the user is kept from signing in." example:"false"`
	CreatedAt rest.Time `json:"created_at" doc:"When the user was created."`
	UpdatedAt rest.Time `json:"updated_at" doc:"When the user last changed."`
}

// NewUser is the body that creates a user.
type NewUser struct {
	Email     string   `json:"email" minLength:"1" maxLength:"200" doc:"The user's address; nobody else's in the tenant." example:"ada@example.org"`
	Name      string   `json:"name" minLength:"1" maxLength:"200" doc:"The user's name, which receivers and the history show." example:"Ada Lovelace"`
	Role      string   `json:"role,omitempty" enum:"admin,manager,caseworker,viewer" doc:"The user's role; absent: viewer." example:"caseworker"`
	Further   []string `json:"further_roles,omitempty" maxItems:"100" doc:"Further roles, by which case types know the user: those of a type, or those in its role_map. They permit nothing that the role does not; absent: none." example:"[\"town-officer\"]"`
	Clearance string   `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that the user may see, at most yours; absent: PUBLIC." example:"PRIVATE"`
	Password  string   `json:"password,omitempty" maxLength:"800" doc:"The user's password, of 12 to 200 characters; absent: the user signs in with OpenID Connect." example:"correct horse battery staple"`
}

// UserUpdate is the body that changes a user. Absent members stay as they are.
type UserUpdate struct {
	Email     *string   `json:"email,omitempty" minLength:"1" maxLength:"200" doc:"The user's address. A new one ends the user's sessions." example:"ada@example.org"`
	Name      *string   `json:"name,omitempty" minLength:"1" maxLength:"200" doc:"The user's name." example:"Ada King"`
	Role      *string   `json:"role,omitempty" enum:"admin,manager,caseworker,viewer" doc:"The user's role." example:"manager"`
	Further   *[]string `json:"further_roles,omitempty" maxItems:"100" doc:"All further roles, by which case types know the user." example:"[\"town-officer\"]"`
	Clearance *string   `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that the user may see, at most yours." example:"PRIVATE"`
	Password  *string   `json:"password,omitempty" maxLength:"800" doc:"A new password, of 12 to 200 characters; empty: none. It ends the user's sessions." example:"correct horse battery staple"`
	Disabled  *bool     `json:"disabled,omitempty" doc:"true keeps the user from signing in, and ends the user's sessions." example:"true"`
}

type InUser struct {
	ID string `path:"id" number:"id" maxLength:"20" doc:"The id of the user." example:"7"`
}

type shownUser struct{ Body User }

func (in InUser) id() (int64, error) {
	n, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.NotFound, "user.not_found",
			"There is no user with this id. GET /v1/users lists the users.")
	}
	return n, nil
}

// userHandler has the operations on users.
type userHandler struct {
	kernel  *rest.Kernel
	service people.Services
}

func (h userHandler) register() {
	const path, tag = "/v1/users", "users"
	h.registerColleagues()
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateUser,
		Pattern:     "POST " + path,
		Tag:         tag,
		Summary:     "Create a user",
		Description: "For a person, who signs in by the password, or by the OpenID Connect provider.",
		Problems:    []int{http.StatusConflict},
		Success:     http.StatusCreated,
	}, h.createUser)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListUsers, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the users",
		Description: "The oldest first.",
	}, h.listUsers)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetUser, Pattern: "GET " + path + "/{id}", Tag: tag,
		Summary:     "Get a user",
		Description: "By their id.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InUser) (*shownUser, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		return userShown(h.service.Users.User(ctx, rest.PrincipalOf(ctx), id))
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.UpdateUser, Pattern: "PATCH " + path + "/{id}", Tag: tag,
		Summary:     "Change a user",
		Description: "Absent members stay as they are. A new password or address, and disabling, end their sessions.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *InUser, body UserUpdate) (*shownUser, error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		return userShown(h.service.Users.UpdateUser(ctx, rest.PrincipalOf(ctx), id, people.UserChange{
			Email: body.Email, Name: body.Name, Role: (*access.Role)(body.Role),
			Further:   body.Further,
			Clearance: (*casetype.Classification)(body.Clearance),
			Password:  body.Password, Disabled: body.Disabled,
		}))
	})
}

func (h userHandler) createUser(ctx context.Context, in *rest.IdempotencyHeader,
	body NewUser) (*rest.PostAnswer[User], error) {
	change := people.UserChange{Email: &body.Email, Name: &body.Name}
	if body.Role != "" {
		change.Role = (*access.Role)(&body.Role)
	}
	if body.Further != nil {
		change.Further = &body.Further
	}
	if body.Clearance != "" {
		change.Clearance = (*casetype.Classification)(&body.Clearance)
	}
	if body.Password != "" {
		change.Password = &body.Password
	}
	return rest.Create[User](ctx, *in, func(u access.User) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, showUser(u), "Location", "/v1/users/"+strconv.FormatInt(u.ID, 10))
	}, func(o authz.Once) (access.User, error) {
		return h.service.Users.CreateUser(ctx, rest.PrincipalOf(ctx), change, o)
	})
}

func (h userHandler) listUsers(ctx context.Context, in *rest.Paging) (*rest.PageAnswer[User], error) {
	var after int64
	if err := h.kernel.Open("users", in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := h.service.Users.Users(ctx, rest.PrincipalOf(ctx), after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, "users", showUser, func(u access.User) int64 { return u.ID }).
		PageOfList(all, in.Limit)
}

func userShown(u access.User, err error) (*shownUser, error) {
	if err != nil {
		return nil, err
	}
	return &shownUser{showUser(u)}, nil
}

func showUser(u access.User) User {
	return User{
		ID:        u.ID,
		Email:     u.Email,
		Name:      u.Name,
		Role:      string(u.Role),
		Further:   append([]string{}, u.Further.Names()...),
		Clearance: string(u.Clearance),
		Password:  u.Password != "",
		Identity:  rest.OrNull(u.Issuer),
		Disabled:  u.Disabled,
		CreatedAt: rest.Time(u.CreatedAt),
		UpdatedAt: rest.Time(u.UpdatedAt),
	}
}
