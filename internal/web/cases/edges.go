package cases

import "fmt"

// edge draws the line from one state to another. Several between the same two states lie beside each other.
func edge(from, to workflowNode, number int) workflowEdge {
	shift := number * 14
	fromY, toY := from.Y+nodeHeight/2, to.Y+nodeHeight/2
	switch {
	case from.X < to.X: // forward
		x1, x2 := from.X+nodeWidth, to.X-5
		middle := (x1 + x2) / 2
		return workflowEdge{
			Path: fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, fromY, middle, fromY+shift, middle, toY+shift, x2, toY),
			X:    middle, Y: (fromY+toY)/2 + shift - 5,
		}
	case from.X > to.X: // back, below the states
		x1, x2 := from.X+nodeWidth/2, to.X+nodeWidth/2+12
		low := max(from.Y, to.Y) + nodeHeight + 22 + shift
		return workflowEdge{
			Path: fmt.Sprintf("M%d %d C%d %d %d %d %d %d",
				x1, from.Y+nodeHeight, x1, low, x2, low, x2, to.Y+nodeHeight+5),
			X: (x1 + x2) / 2, Y: low - 6,
		}
	}
	x := from.X + nodeWidth/2 + 20 + shift
	y1, y2 := from.Y+nodeHeight, to.Y-5
	if from.Y > to.Y {
		x, y1, y2 = from.X+nodeWidth/2-20-shift, from.Y, to.Y+nodeHeight+5
	}
	return workflowEdge{Path: fmt.Sprintf("M%d %d L%d %d", x, y1, x, y2), X: x, Y: (y1+y2)/2 + 4}
}
