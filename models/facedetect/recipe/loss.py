# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which cells answer for which face, and what their answers cost."""
import torch
from torch.nn import functional as F

from net import decode

TOP = 10                       # a face takes at most about as many cells as this many best boxes overlap it in sum
RADIUS = 1.5                   # cells within this many strides of the middle may answer also for a tiny face


def pair_iou(a, b, enclosing=False):
    """IoU of broadcast corner boxes; with `enclosing` also the GIoU."""
    side = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    both = side[..., 0] * side[..., 1]
    area = lambda q: (q[..., 2] - q[..., 0]) * (q[..., 3] - q[..., 1])
    union = area(a) + area(b) - both + 1e-6
    iou = both / union
    if not enclosing:
        return iou
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-6
    return iou, iou - (hull - union) / hull


@torch.no_grad()
def assign(score, boxes, labels, images, grid, batch):
    """SimOTA over the whole batch at once.

    score [B, N] logits, boxes [B, N, 4] as predicted; labels [T, 4] of images [T]. Returns for each chosen cell its
    image, its cell, its label and how good it is compared to the best one of the same face (0..1].
    """
    n, t = grid.shape[0], len(labels)
    middle = (grid[:, :2] + .5) * grid[:, 2:]
    c = (labels[:, None, :2] + labels[:, None, 2:]) / 2
    near = ((middle - c).abs() <= RADIUS * grid[:, 2:]).all(-1)
    inside = ((middle > labels[:, None, :2]) & (middle < labels[:, None, 2:])).all(-1)
    iou = pair_iou(boxes[images], labels[:, None])
    cost = F.softplus(-score[images]) - 3 * torch.log(iou + 1e-4) + 1e2 * ~(near & inside)
    cost = cost.masked_fill(~(near | inside), float('inf'))
    wanted = iou.masked_fill(~(near | inside), 0).topk(TOP, 1).values.sum(1).int().clamp(min=1)
    best, at = cost.topk(TOP, 1, largest=False)
    take = (torch.arange(TOP, device=at.device) < wanted[:, None]) & torch.isfinite(best)
    face = torch.arange(t, device=at.device)[:, None].expand(-1, TOP)[take]
    cell, best = at[take], best[take]
    # A cell that two faces want goes to the one that it costs less.
    place = images[face] * n + cell
    least = torch.full((batch * n,), float('inf'), device=at.device).scatter_reduce(0, place, best, 'amin')
    win = best <= least[place]
    face, cell = face[win], cell[win]
    q = iou[face, cell]
    top = torch.zeros(t, device=at.device).scatter_reduce(0, face, q, 'amax')
    return images[face], cell, face, q / top[face].clamp(min=1e-6)


def loss(raw, rows, grid, floor=.3):
    """raw [B, N, 15]; rows [T, 16]: image, box, points, ignored. Returns the three parts and the number of faces.

    The score asks only whether there is a face, not how well the box fits: human boxes of faces of 10 pixels agree with
    nothing at a higher IoU than 0.5. Within one face the cell with the best box shall score highest.
    """
    batch = raw.shape[0]
    ignored = rows[:, 15] > 0
    faces, regions = rows[~ignored], rows[ignored]
    score = raw[..., 0]
    target, weight = torch.zeros_like(score), torch.ones_like(score)
    middle = (grid[:, :2] + .5) * grid[:, 2:]
    if len(regions):
        b = regions[:, None, 1:5]
        slack = torch.minimum(grid[:, 2], (b[..., 2:] - b[..., :2]).amin(-1)).unsqueeze(-1) / 2
        hit = ((middle > b[..., :2] - slack) & (middle < b[..., 2:] + slack)).all(-1)
        image, cell = regions[:, 0].long()[hit.nonzero()[:, 0]], hit.nonzero()[:, 1]
        weight[image, cell] = 0
    zero = score.sum() * 0
    box = point = zero
    if len(faces):
        boxes, _ = decode(raw.detach(), grid)
        image, cell, face, good = assign(score.detach(), boxes, faces[:, 1:5], faces[:, 0].long(), grid, batch)
        boxes, points = decode(raw[image, cell], grid[cell])
        target[image, cell] = good.clamp(min=floor)
        weight[image, cell] = 1
        label = faces[face]
        iou, giou = pair_iou(boxes, label[:, 1:5], True)
        share = good / good.sum().clamp(min=1)
        box = ((1 - giou) * share).sum()
        size = torch.sqrt((label[:, 3] - label[:, 1]) * (label[:, 4] - label[:, 2]))[:, None]
        off = (points - label[:, 5:15]).abs() / size.clamp(min=1.)
        known = ~torch.isnan(off)
        off = torch.where(known, off, 0.)
        # Quadratic below 2 % of the face: there the labels themselves are no better.
        off = torch.where(off < .02, off * off / .04, off - .01)
        point = (off * share[:, None]).sum() / 10
    p = torch.sigmoid(score)
    each = F.binary_cross_entropy_with_logits(score, target, reduction='none') * (p - target).abs() ** 2 * weight
    return each.sum() / target.sum().clamp(min=batch / 4), box, point, len(faces)
