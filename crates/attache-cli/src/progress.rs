//! The bar on stderr while a session runs.

use attache::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is shown while nobody knows how much there is to do.
const OPEN: &str = "{prefix}  {msg}";
/// What is shown when the server has told.
const COUNTED: &str = "{prefix}  {msg:<24} {bar:30} {human_pos} of {human_len}";

/// A progress bar; it draws nothing when stderr is not a terminal.
#[derive(Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Starts a bar with a name in front, such as whose device it is.
    pub fn new(name: &str, visible: bool) -> Bar {
        let target = match visible {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(name.to_owned());
        Bar(bar.with_style(style(OPEN)))
    }

    /// Shows how far a session is.
    pub fn set(&self, progress: &Progress) {
        let total = progress.total.filter(|total| *total > 0);
        let template = if total.is_some() { COUNTED } else { OPEN };
        self.0.set_style(style(template));
        self.0.update(|state| {
            state.set_len(total.unwrap_or_default());
            state.set_pos(progress.done);
        });
        let message = format!("{} {}", verb(progress.phase), progress.object);
        self.0.set_message(message);
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // Both templates are in this file, and are tried by a test.
    ProgressStyle::with_template(template).map_or_else(
        |_| ProgressStyle::default_bar(),
        |style| style.progress_chars("━╸─"),
    )
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "preparing",
        Phase::Pull => "pulling",
        Phase::Push => "pushing",
        Phase::ReadBack => "reading back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        for template in [OPEN, COUNTED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
