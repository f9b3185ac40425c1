//! The bar on stderr while a session runs.

use attache::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is shown while nobody knows how much there is to do.
const OPEN: &str = "{prefix}  {msg}";
/// What is shown when the server has told.
const COUNTED: &str = "{prefix}  {msg:<24} {bar:30} {human_pos} of {human_len}";
/// What is shown of files, which are counted in bytes.
const WEIGHED: &str = "{prefix}  {msg:<24} {bar:30} {bytes} of {total_bytes}";

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
        let template = match (total, progress.phase) {
            (None, _) => OPEN,
            (Some(_), Phase::Files) => WEIGHED,
            (Some(_), _) => COUNTED,
        };
        self.0.set_style(style(template));
        self.0.update(|state| {
            state.set_len(total.unwrap_or_default());
            state.set_pos(progress.done);
        });
        let message = match progress.phase {
            Phase::Files => verb(Phase::Files).to_owned(),
            phase => format!("{} {}", verb(phase), progress.object),
        };
        self.0.set_message(message);
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are in this file, and are tried by a test.
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
        Phase::Files => "moving files",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        for template in [OPEN, COUNTED, WEIGHED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
