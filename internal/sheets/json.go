package sheets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// readJSON reads the rows of a JSON file: a list of objects.
func (r *reader) readJSON(f File) error {
	content := bytes.TrimPrefix(f.Content, []byte("\ufeff"))
	at := func(line int) Place { return Place{row: Row{file: f.Path, line: line}} }
	named := sheetsOfPath(f.Below)
	if named.sheet() == UserProfile {
		r.definition.Notes.Add(neverRead, at(0))
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if token, err := d.Token(); err != nil || token != json.Delim('[') {
		if err == nil && named == (pathSheets{}) {
			r.definition.Notes.Add("a file is no sheet, and is ignored: it has no list of rows", at(0))
			return nil
		}
		return notRows(at(0), content, err)
	}
	var objects []map[string]json.RawMessage
	for d.More() {
		var object map[string]json.RawMessage
		if err := d.Decode(&object); err != nil {
			return notRows(at(len(objects)+1), content, err)
		}
		if objects = append(objects, object); len(objects) > maxRows {
			return Faultf(at(0), "has more than %d rows", maxRows)
		}
	}
	if _, err := d.Token(); err != nil {
		return notRows(at(len(objects)), content, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Faultf(at(0), "goes on behind its list of rows")
	}
	return r.objects(f, named, objects)
}

// notRows explains why a file is no list of rows.
func notRows(at Place, content []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		if err != nil && errors.Is(err, io.ErrUnexpectedEOF) {
			return Faultf(at, "is not JSON: it ends too early")
		}
		return Faultf(at, "is not a list of rows, [{...}, ...]")
	}
	before := content[:min(int(syntax.Offset), len(content))]
	return Faultf(at, "is not JSON: %v (line %d)", err, 1+bytes.Count(before, []byte("\n")))
}

// objects adds the rows of a file.
func (r *reader) objects(f File, named pathSheets, objects []map[string]json.RawMessage) error {
	columns := map[string]bool{}
	for _, object := range objects {
		for column := range object {
			columns[column] = true
		}
	}
	first := Place{row: Row{file: f.Path, line: min(1, len(objects))}}
	sheet := r.sheet(named, columns, first)
	if sheet == "" {
		return nil
	}
	for i, object := range objects {
		row := Row{Sheet: sheet, file: f.Path, line: i + 1, cells: map[string]cell{}}
		if _, out := leftOut[sheet]; out {
			r.leaveOut(row)
			continue
		}
		if err := r.object(row, object); err != nil {
			return err
		}
	}
	return nil
}

// object adds the rows that an object stands for.
func (r *reader) object(row Row, object map[string]json.RawMessage) error {
	roles, entries := object[memberNamed(object, userRoles)], object[memberNamed(object, accessControl)]
	for _, name := range slices.Sorted(maps.Keys(object)) {
		raw := object[name]
		if strings.EqualFold(name, userRoles) || strings.EqualFold(name, accessControl) {
			continue
		}
		text, err := plain(raw)
		if err != nil {
			return Faultf(row.At(name), "%v", err)
		}
		if err := r.put(&row, name, "", text); err != nil {
			return err
		}
	}
	switch {
	case entries != nil:
		return r.entries(row, entries)
	case roles != nil:
		return r.roles(row, roles)
	}
	return r.add(row)
}

// memberNamed returns a name of an object that differs from the given one in letter case at most.
func memberNamed(object map[string]json.RawMessage, name string) string {
	for _, member := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(member, name) {
			return member
		}
	}
	return name
}

// roles adds a row for each role of a list.
func (r *reader) roles(row Row, raw json.RawMessage) error {
	list, err := texts(raw)
	if err != nil {
		return Faultf(row.At(userRoles), "%v", err)
	}
	for _, role := range list {
		if err := r.add(row.With(AccessProfile, role)); err != nil {
			return err
		}
	}
	return nil
}

// entries adds a row for each role of each entry of AccessControl.
func (r *reader) entries(row Row, raw json.RawMessage) error {
	var entries []map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return Faultf(row.At(accessControl), "is not a list of {UserRoles, CRUD}")
	}
	for _, entry := range entries {
		crud, err := plain(entry[memberNamed(entry, "CRUD")])
		if err != nil {
			return Faultf(row.At(accessControl), "CRUD %v", err)
		}
		granted := row.With("CRUD", crud)
		for _, name := range []string{userRoles, "UserRole", "AccessProfiles", AccessProfile} {
			if raw := entry[memberNamed(entry, name)]; raw != nil {
				if err := r.roles(granted, raw); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// texts reads a list of texts, or one.
func texts(raw json.RawMessage) ([]string, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	all := make([]string, len(list))
	for i, item := range list {
		var err error
		if all[i], err = plain(item); err != nil {
			return nil, errors.New("is not a list of texts")
		}
	}
	return all, nil
}

// plain returns a value as a text, as a workbook has it. The items of a list are joined by commas.
func plain(raw json.RawMessage) (string, error) {
	if len(raw) == 0 {
		return "", nil
	}
	switch raw[0] {
	case 'n':
		return "", nil
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return "", err
		}
		all := make([]string, len(list))
		for i, item := range list {
			if len(item) > 0 && (item[0] == '[' || item[0] == '{') {
				return "", errors.New("is a list of lists or objects; a text, a number, true or false is expected")
			}
			all[i], _ = plain(item)
		}
		return strings.Join(all, ","), nil
	case '{':
		return "", errors.New("is an object; a text, a number, true or false is expected")
	case 't', 'f':
		return string(raw), nil
	}
	return number(string(raw)), nil
}

// number writes a number as people do: 1 for 1.0.
func number(written string) string {
	if !strings.ContainsAny(written, ".eE") {
		return written
	}
	n, err := strconv.ParseFloat(written, 64)
	if err != nil || math.Abs(n) >= 1e15 || n != 0 && math.Abs(n) < 1e-9 {
		return written
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// pathSheets are the sheets that a path may mean.
type pathSheets struct{ folder, file string }

// sheetsOfPath returns the sheets that the outermost such folder and the file are named after.
func sheetsOfPath(path string) (p pathSheets) {
	parts := strings.Split(path, "/")
	last := len(parts) - 1
	for _, part := range parts[:last] {
		if p.folder = sheetNamed(part); p.folder != "" {
			break
		}
	}
	base := parts[last]
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		base = base[:dot]
	}
	p.file = sheetNamed(base)
	return p
}

// sheet returns the sheet that the path means, as long as the columns don't matter.
func (p pathSheets) sheet() string {
	if p.folder != "" {
		return p.folder
	}
	return p.file
}

// sheet returns the sheet of rows by their path and their columns, or "" if they belong to none that is read.
func (r *reader) sheet(named pathSheets, columns map[string]bool, first Place) string {
	var names []string
	for column := range columns {
		names = append(names, column)
	}
	sheet := named.sheet()
	like := ""
	if sheet == "" || named.file != "" && named.file != sheet {
		like = sheetOf(names)
	}
	switch {
	case sheet != "" && like == named.file && like != "":
		return like
	case sheet == ChangeHistory:
		return ""
	case sheet != "":
		return sheet
	case like != "":
		r.definition.Notes.Add(fmt.Sprintf("the columns are those of the sheet %s, whose name the rows do not have; "+
			"they are read as rows of it", like), first)
		return like
	case len(columns) > 0:
		r.definition.Notes.Add("rows belong to no sheet that is known, by name or columns, and are ignored", first)
	}
	return ""
}
