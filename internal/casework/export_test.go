package casework

// SearchAtMost bounds the cases that a search looks at.
func (s *Cases) SearchAtMost(cases int) { s.mostSearched = cases }
