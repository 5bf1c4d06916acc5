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
		columns := (from.X - to.X) / (nodeWidth + columnGap)
		low := max(from.Y, to.Y) + nodeHeight + 8 + 16*columns + shift
		return workflowEdge{
			Path: fmt.Sprintf("M%d %d C%d %d %d %d %d %d",
				x1, from.Y+nodeHeight, x1, low, x2, low, x2, to.Y+nodeHeight+5),
			X: (x1 + x2) / 2, Y: low - 6,
		}
	}
	x, out := from.X+nodeWidth, 36+shift // down, on the right
	tip := x + 5
	if from.Y > to.Y { // up, on the left
		x, out = from.X, -36-shift
		tip = x - 5
	}
	return workflowEdge{
		Path: fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x, fromY+4, x+out, fromY+4, x+out, toY-4, tip, toY-4),
		X:    x + out*3/4, Y: (fromY+toY)/2 + 4,
	}
}
