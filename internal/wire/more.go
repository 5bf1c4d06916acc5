package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// More is what an answer does with the case besides its content. The published contracts do not know of it.
type More struct {
	Assignee *MoreAssignee `json:"assignee,omitempty" doc:"Who gets the case. null: nobody has it any more. Absent: the assignee stays."`
	Labels   MoreLabels    `json:"labels,omitzero" doc:"Labels that it gets and loses."`
	Notes    []MoreNote    `json:"notes,omitempty" maxItems:"10" doc:"Comments of the callback."`
}

// MoreAssignee is a user.
type MoreAssignee struct {
	UserID int64 `json:"user_id" doc:"The user's id. 0 is nobody."`
}

// MoreLabels are labels, by slug.
type MoreLabels struct {
	Add    []string `json:"add,omitempty" maxItems:"100" doc:"Labels that the case gets, by slug."`
	Remove []string `json:"remove,omitempty" maxItems:"100" doc:"Labels that it loses, by slug."`
}

// MoreNote is a note.
type MoreNote struct {
	Text string `json:"text" doc:"The text, of at most 20,000 characters."`
	Due  string `json:"due,omitempty" doc:"The date on which it is due; absent: it has none."`
}

// IsZero reports whether nothing is done.
func (m More) IsZero() bool {
	return m.Assignee == nil && len(m.Labels.Add)+len(m.Labels.Remove)+len(m.Notes) == 0
}

// answerMore reads the member casehook of an answer. Other than an answer, it may have documented members alone, since
// only Casehook reads it.
func answerMore(key string, value any) (*More, error) {
	all, err := members(key, value, "assignee", "labels", "notes")
	if err != nil {
		return nil, err
	}
	var m More
	if holder, is := all["assignee"]; is {
		if m.Assignee, err = moreAssignee(key+".assignee", holder); err != nil {
			return nil, err
		}
	}
	if labels := all["labels"]; labels != nil {
		if m.Labels, err = moreLabels(key+".labels", labels); err != nil {
			return nil, err
		}
	}
	if notes := all["notes"]; notes != nil {
		m.Notes, err = moreNotes(key+".notes", notes)
	}
	return &m, err
}

// members returns the members of an object, which has no others than these.
func members(key string, value any, known ...string) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", key)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s has a member that is not documented: %s", key, shortened(name))
		}
	}
	return object, nil
}

func moreAssignee(key string, value any) (*MoreAssignee, error) {
	if value == nil {
		return &MoreAssignee{}, nil
	}
	user, err := members(key, value, "user_id")
	if err != nil {
		return nil, err
	}
	number, _ := user["user_id"].(json.Number)
	id, err := number.Int64()
	if err != nil || id <= 0 {
		return nil, fmt.Errorf("%s.user_id is not the id of a user", key)
	}
	return &MoreAssignee{id}, nil
}

func moreLabels(key string, value any) (m MoreLabels, err error) {
	labels, err := members(key, value, "add", "remove")
	if err != nil {
		return m, err
	}
	for name, to := range map[string]*[]string{"add": &m.Add, "remove": &m.Remove} {
		if labels[name] == nil {
			continue
		}
		if *to, err = answerList(key+"."+name, labels[name]); err != nil {
			return m, err
		}
	}
	return m, nil
}

func moreNotes(key string, value any) (all []MoreNote, err error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", key)
	}
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		note, err := members(at, item, "text", "due")
		if err != nil {
			return nil, err
		}
		text, isText := note["text"].(string)
		due, isDue := note["due"].(string)
		if !isText || note["due"] != nil && !isDue {
			return nil, fmt.Errorf("%s has a text or a date that is not a string", at)
		}
		all = append(all, MoreNote{text, due})
	}
	return all, nil
}
