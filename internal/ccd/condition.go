package ccd

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The operators of atoms.
const (
	equals    = "="
	differs   = "!="
	contains  = "CONTAINS"
	anyValue  = "*"
	joinsAll  = "AND"
	joinsSome = "OR"
)

// atom is a comparison of a field with a text.
type atom struct {
	path     string // with dots into complex types; [STATE] and the like for metadata
	operator string
	text     string
}

// condition is a condition as it is written: operands between which there are joints.
type condition struct {
	operands []operand
	joints   []string // joinsAll or joinsSome; one fewer than operands
}

// operand is an atom, or a condition in brackets.
type operand struct {
	atom  atom
	group *condition
}

var (
	atomPattern  = regexp.MustCompile(`^\s*([^"=!(][^"=!]*?)\s*(!=|=|CONTAINS)\s*"([^"]*)"`)
	jointPattern = regexp.MustCompile(`^\s+(AND|OR)\s+`)
	openPattern  = regexp.MustCompile(`^\s*\(`)
	closePattern = regexp.MustCompile(`^\s*\)`)
)

// maxCondition bounds a condition, in bytes. The longest that is known has 958.
const maxCondition = 16 << 10

// parseCondition reads a condition of either grammar.
func parseCondition(text string) (condition, error) {
	if len(text) > maxCondition {
		return condition{}, fmt.Errorf("is longer than %d bytes", maxCondition)
	}
	c, rest, err := parseOperands(text, true)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("has %.40q where AND, OR or the end is expected", strings.TrimSpace(rest))
	}
	return c, err
}

// parseOperands reads operands as far as there are any, and returns the rest.
func parseOperands(text string, brackets bool) (c condition, rest string, err error) {
	for {
		var one operand
		if one, text, err = parseOperand(text, brackets); err != nil {
			return c, "", err
		}
		c.operands = append(c.operands, one)
		joint := jointPattern.FindStringSubmatch(text)
		if joint == nil {
			return c, text, nil
		}
		c.joints, text = append(c.joints, joint[1]), text[len(joint[0]):]
	}
}

func parseOperand(text string, brackets bool) (operand, string, error) {
	if open := openPattern.FindString(text); open != "" && brackets {
		if group, rest, err := parseOperands(text[len(open):], false); err == nil {
			if end := closePattern.FindString(rest); end != "" {
				return operand{group: &group}, rest[len(end):], nil
			}
		}
	}
	found := atomPattern.FindStringSubmatch(text)
	if found == nil {
		if strings.TrimSpace(text) == "" {
			return operand{}, "", errors.New("ends where a comparison is expected")
		}
		return operand{}, "", fmt.Errorf(`has %.40q where a comparison such as field="text" is expected`,
			strings.TrimSpace(text))
	}
	return operand{atom: atom{found[1], found[2], found[3]}}, text[len(found[0]):], nil
}

// pageText matches the texts that conditions of pages may compare with.
var pageText = regexp.MustCompile(`^[A-Za-z0-9.,* _&()/-]*$`)

// pageProblem returns the reason why consoles can't evaluate a condition of a page or a field, or "". They know
// comparisons, prefixes, CONTAINS and one level of brackets, and join them from left to right.
func pageProblem(text string) string {
	c, err := parseCondition(text)
	if err != nil {
		return err.Error()
	}
	for _, a := range c.atoms() {
		if !pageText.MatchString(a.text) {
			return fmt.Sprintf("compares with %.60q, which has other characters than letters, digits and .,* _&()/-",
				a.text)
		}
	}
	return ""
}

// atoms lists all atoms, those in brackets too.
func (c condition) atoms() (all []atom) {
	for _, o := range c.operands {
		if o.group != nil {
			all = append(all, o.group.atoms()...)
			continue
		}
		all = append(all, o.atom)
	}
	return all
}
