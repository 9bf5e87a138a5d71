//! Circles and rectangles on the sphere, and the cells that cover them.

use super::hash::{Cell, MAX_STEP, Position, cosine, degrees};

/// Half the circumference of the map that cells divide, in metres.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// What is searched around the centre, in metres.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    Circle { radius: f64 },
    Rectangle { width: f64, height: f64 },
}

/// A circle or a rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) centre: Position,
    pub(super) extent: Extent,
}

impl Shape {
    /// The distance of a position from the centre in metres, if the position lies within.
    pub(super) fn distance_within(&self, position: Position) -> Option<f64> {
        match self.extent {
            Extent::Circle { radius } => {
                let distance = self.centre.distance(position);
                (distance <= radius).then_some(distance)
            }
            Extent::Rectangle { width, height } => {
                if position.latitude_distance(self.centre) > height / 2.0 {
                    return None;
                }
                let abreast = Position {
                    longitude: self.centre.longitude,
                    latitude: position.latitude,
                };
                if position.distance(abreast) > width / 2.0 {
                    return None;
                }
                Some(self.centre.distance(position))
            }
        }
    }

    /// The cells that cover it, in the order in which Redis searches them.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let bounds = self.bounds();
        let mut step = self.estimated_step();
        if step > 1 && bounds.reach_beyond_neighbours(Cell::around(self.centre, step)) {
            step -= 1;
        }
        let cell = Cell::around(self.centre, step);
        let area = cell.area();
        // With large cells every neighbour counts.
        let fine = step >= 2;
        let needs = |east: i8, north: i8| {
            let east_needed = match east {
                1 => area.longitudes.1 <= bounds.east,
                -1 => area.longitudes.0 >= bounds.west,
                _ => true,
            };
            let north_needed = match north {
                1 => area.latitudes.1 <= bounds.north,
                -1 => area.latitudes.0 >= bounds.south,
                _ => true,
            };
            !fine || (east_needed && north_needed)
        };
        let order = [
            (0, 0),
            (0, 1),
            (0, -1),
            (1, 0),
            (-1, 0),
            (1, 1),
            (-1, 1),
            (1, -1),
            (-1, -1),
        ];
        let mut cells = Vec::with_capacity(9);
        let mut last_neighbour = None;
        for (east, north) in order {
            if !needs(east, north) {
                continue;
            }
            let moved = cell.moved(east, north);
            // Large cells can be their own neighbours around the globe; Redis looks only at the
            // neighbour before, and so does this.
            if last_neighbour == Some(moved) {
                continue;
            }
            cells.push(moved);
            if (east, north) != (0, 0) {
                last_neighbour = Some(moved);
            }
        }
        cells
    }

    /// The step whose cells are about as large as the shape.
    fn estimated_step(&self) -> u8 {
        let mut reach = match self.extent {
            Extent::Circle { radius } => radius,
            Extent::Rectangle { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        };
        if reach == 0.0 {
            return MAX_STEP;
        }
        let mut step = 1i32;
        // Beyond the finest step it makes no difference how small the reach is.
        while reach < MERCATOR_MAX && step < 64 {
            reach *= 2.0;
            step += 1;
        }
        step -= 2;
        // Cells are narrower towards the poles.
        let latitude = self.centre.latitude.abs();
        if latitude > 66.0 {
            step -= 1;
            if latitude > 80.0 {
                step -= 1;
            }
        }
        step.clamp(1, i32::from(MAX_STEP)) as u8
    }

    fn bounds(&self) -> Bounds {
        let (half_width, half_height) = match self.extent {
            Extent::Circle { radius } => (radius, radius),
            Extent::Rectangle { width, height } => (width / 2.0, height / 2.0),
        };
        let Position {
            longitude,
            latitude,
        } = self.centre;
        let up = degrees(half_height);
        // A circle of latitude is shorter nearer to the pole.
        let edge = if latitude < 0.0 {
            latitude - up
        } else {
            latitude + up
        };
        let across = degrees(half_width / cosine(edge));
        Bounds {
            west: longitude - across,
            east: longitude + across,
            south: latitude - up,
            north: latitude + up,
        }
    }
}

/// The longitudes and latitudes between which a shape lies.
struct Bounds {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

impl Bounds {
    fn reach_beyond_neighbours(&self, cell: Cell) -> bool {
        cell.moved(0, 1).area().latitudes.1 < self.north
            || cell.moved(0, -1).area().latitudes.0 > self.south
            || cell.moved(1, 0).area().longitudes.1 < self.east
            || cell.moved(-1, 0).area().longitudes.0 > self.west
    }
}
