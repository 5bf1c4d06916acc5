package web

import (
	"context"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/web/ui"
)

// deliveryHour sums up the attempts of the last hour.
type deliveryHour struct {
	Points                         []ui.Point
	Delivered, Failed, Share, Mean string
	Text                           string // what the chart shows
	Newest                         bool   // only the newest attempts were counted
}

// deliveries counts the attempts of the last hour.
func (o overview) deliveries(ctx context.Context, p access.Principal, page *overviewPage) error {
	if !p.Role.Permits(access.GetDeliveryMetrics) {
		return nil
	}
	m, err := o.services.Hooks.Messages.DeliveryMetrics(ctx, p, hooks.MetricsQuery{Step: time.Minute})
	if err != nil {
		return err
	}
	sum := m.Sum()
	hour := &deliveryHour{
		Delivered: ui.Number(int(sum.Delivered)), Failed: ui.Number(int(sum.Failed)), Share: "–", Mean: "–",
		Newest: !m.Complete,
	}
	if all := sum.Delivered + sum.Failed; all > 0 {
		hour.Share = fmt.Sprintf("%.1f %%", float64(sum.Delivered*1000/all)/10) // never rounded up to 100
		hour.Mean = ui.Took(sum.Duration / time.Duration(all))
	}
	hour.Text = fmt.Sprintf(
		"Deliveries a minute in the last hour: %s delivered, %s failed.", hour.Delivered, hour.Failed)
	for _, c := range m.Points {
		hour.Points = append(hour.Points, ui.Point{At: c.Start, Delivered: c.Delivered, Failed: c.Failed})
	}
	page.Hour = hour
	return nil
}
