//! The bar on stderr while a session runs.

use attache::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar; it draws nothing when stderr is not a terminal.
#[derive(Clone)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Starts a bar with a name in front, such as whose device it is.
    pub fn new(name: &str, visible: bool) -> Bar {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style =
            ProgressStyle::with_template("{prefix} {msg:<28} {bar:30} {human_pos}/{human_len}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(name.to_owned());
        Bar(bar)
    }

    /// Shows how far a session is.
    pub fn set(&self, progress: &Progress) {
        self.0
            .set_message(format!("{} {}", verb(progress.phase), progress.object));
        self.0.set_length(progress.total.unwrap_or(progress.done));
        self.0.set_position(progress.done);
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "preparing",
        Phase::Pull => "pulling",
        Phase::Push => "pushing",
        Phase::ReadBack => "reading back",
    }
}
