package schema

import (
	"fmt"
	"regexp"
	"regexp/syntax"
)

// The bounds of a pattern. The cost of matching is its instructions times the length of the text.
// Repeating one character up to 1000 times fits.
const (
	maxPatternSteps  = 2500
	maxPatternSource = 10_000 // bytes
)

// stepsOfInstruction is the cost of compiling one instruction of a pattern.
const stepsOfInstruction = 20

// ErrPattern is the error of a pattern that would take too long to match.
var ErrPattern = fmt.Errorf("is a pattern of more than %d steps; limit lengths with minLength and maxLength",
	maxPatternSteps)

// Pattern is a compiled regular expression, written as in ECMA-262.
type Pattern struct {
	source     string // as it was written
	expression *regexp.Regexp
	steps      int // at most, to match one character
	size       int // bytes that it takes to keep, roughly
}

// CompilePattern compiles a pattern. It estimates the size, and spends it from the budget, before that.
func CompilePattern(b *Budget, source string) (*Pattern, error) {
	if len(source) > maxPatternSource {
		return nil, ErrPattern
	}
	if err := b.Spend(50 + 10*len(source)); err != nil {
		return nil, err
	}
	translated := translate(source)
	parsed, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, refusal(err)
	}
	estimate := instructions(parsed)
	if estimate > 4*maxPatternSteps {
		return nil, ErrPattern
	}
	if err := b.Spend(stepsOfInstruction * estimate); err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if len(program.Inst) > maxPatternSteps {
		return nil, ErrPattern
	}
	expression, err := regexp.Compile(translated)
	if err != nil {
		return nil, err
	}
	size := 1000 + len(source)
	for _, instruction := range program.Inst {
		size += 2*40 + 4*len(instruction.Rune)
	}
	return &Pattern{source, expression, 1 + len(program.Inst)/4, size}, nil
}

// instructions estimates the number of instructions of a pattern without compiling it: a little too few if
// the pattern is simplified, never by more than half.
func instructions(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<30)
}

// cost returns the cost of matching a text, in steps.
func (p *Pattern) cost(text string) int { return 4 + len(text)*p.steps }

// String returns the pattern's source.
func (p *Pattern) String() string { return p.source }
