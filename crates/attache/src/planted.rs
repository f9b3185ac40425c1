//! Says where a mistake may be planted: see [`crate::simulation`].

/// Says whether a mistake is planted; always `false`, and compiled to nothing, in every build but the simulation's.
#[cfg(feature = "simulation")]
macro_rules! planted {
    ($bug:ident) => {
        $crate::simulation::is_planted($crate::simulation::Bug::$bug)
    };
}

/// Notes that an arm of one of the engine's tables was met; compiled to nothing in every build but the simulation's.
macro_rules! met {
    ($table:literal, $($of:tt)*) => {
        #[cfg(feature = "simulation")]
        $crate::simulation::meet($table, || format!($($of)*));
    };
}

/// Says whether a mistake is planted; always `false`, and compiled to nothing, in every build but the simulation's.
#[cfg(not(feature = "simulation"))]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
}
