//! Learns what forms are drawn from, and what the list views say that rules are made of.

use super::Run;
use super::prepare::Described;
use crate::briefcase::Briefcase;
use crate::env::LocalTime;
use crate::error::{Error, ErrorKind, Result};
use crate::form::{self, Form, Picklists};
use crate::outcome::Unfollowed;
use crate::store::ListView;
use std::collections::BTreeMap;

/// What a session learned of forms.
#[derive(Default)]
pub(super) struct Forms {
    /// The objects whose forms are wanted.
    pub wanted: Vec<String>,
    /// What was told of those that were asked for.
    pub told: BTreeMap<String, (Form, Picklists)>,
    /// What could not be learned.
    pub notices: Vec<Unfollowed>,
}

impl Forms {
    fn refused(&mut self, object: &str, reason: String) {
        self.notices.push(Unfollowed {
            rule: format!("layouts of {object}"),
            reason,
        });
    }
}

/// List views that rules are made of.
#[derive(Default)]
pub(super) struct ListViews {
    /// By object and name, as the store is to keep them.
    pub kept: Vec<(String, String, ListView)>,
    /// Why a list view cannot be asked for, by object and name in lower case.
    pub gone: BTreeMap<(String, String), String>,
    /// Optional rules that do without theirs.
    pub notices: Vec<Unfollowed>,
}

impl ListViews {
    /// Why rules of this list view rest, if they do.
    pub(super) fn reason(&self, object: &str, name: &str) -> Option<&String> {
        self.gone.get(&(object.to_lowercase(), name.to_lowercase()))
    }
}

impl Run<'_> {
    /// Says whether what was learned at a time is to be learned anew.
    ///
    /// The API cannot say that a layout or a list view did not change, so both are read again once a day, as
    /// describes are asked for.
    fn is_old(&self, at: LocalTime) -> bool {
        let age = self.env.now().0 - at.0;
        // A clock that was set back makes them look new for ever.
        !(0..self.settings.describe_seconds * 1000).contains(&age)
    }

    /// Asks for the layouts of the objects that want them, where those here are old.
    pub(super) async fn learn_forms(
        &mut self,
        briefcase: &Briefcase,
        describes: &BTreeMap<String, Described>,
    ) -> Result<Forms> {
        let mut forms = Forms::default();
        for (object, described) in describes {
            if !briefcase.options(object).wants_layouts() {
                continue;
            }
            forms.wanted.push(object.clone());
            let asked = self.store.read(|r| r.form_asked_at(object))?;
            if described.gone || asked.is_some_and(|at| !self.is_old(at)) {
                continue;
            }
            self.check_cancelled()?;
            if !described.schema.layoutable {
                let reason = format!("records of {object} have no layouts");
                forms.refused(object, reason);
                continue;
            }
            let told = match self.remote.layouts(object).await {
                Ok(Some(answer)) => form::read(&answer.layouts, answer.compact.as_deref()),
                Ok(None) => Err(Error::new(
                    ErrorKind::RemoteRefused,
                    format!("the org has no layouts of {object} for this user"),
                )),
                Err(error) => Err(error),
            };
            match told {
                Ok(told) => {
                    forms.told.insert(object.clone(), told);
                }
                // What forms look like is no reason to leave records behind. Asked for by each session, until
                // there is an answer.
                Err(error) if is_refusal(&error) => forms.refused(object, error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(forms)
    }

    /// Asks for the list views of a briefcase, where those here are old, and makes its rules of what they say.
    pub(super) async fn learn_list_views(
        &mut self,
        mut briefcase: Briefcase,
        drifts: bool,
    ) -> Result<(Briefcase, ListViews)> {
        let mut views = ListViews::default();
        for (object, name) in briefcase.list_views() {
            let known = self.store.read(|r| r.list_view(&object, &name))?;
            let view = match known {
                Some(known) if drifts && !self.is_old(known.asked_at) => known,
                known => self.learn_list_view(&object, &name, known).await?,
            };
            if !view.is_known() {
                for rule in briefcase.without_list_view(&object, &name)? {
                    let reason =
                        format!("the org has no list view {name} of {object} for this user");
                    views.notices.push(Unfollowed { rule, reason });
                }
                views.kept.push((object, name, view));
                continue;
            }
            let place = (object.to_lowercase(), name.to_lowercase());
            if view.gone {
                let reason = format!(
                    "the org has no list view {name} of {object} for this user any more, or one that no rule can be made of; \
                     its records stay, and nothing new comes"
                );
                views.gone.insert(place, reason);
            }
            briefcase.tell_list_view(&object, &name, &view.describe)?;
            views.kept.push((object, name, view));
        }
        Ok((briefcase, views))
    }

    /// Asks what a list view says; one that is gone stays as it was told last, if it was told.
    async fn learn_list_view(
        &mut self,
        object: &str,
        name: &str,
        known: Option<ListView>,
    ) -> Result<ListView> {
        self.check_cancelled()?;
        let mut told = None;
        // By its id first: one that got another name is the same list view.
        let named = crate::record::RecordId::parse(name).ok();
        let known = known.filter(ListView::is_known);
        let id = known.as_ref().map(|known| known.id.clone());
        if let Some(id) = id.or_else(|| named.map(|id| id.as_str().to_owned())) {
            told = self
                .remote
                .list_view(object, &id)
                .await?
                .map(|describe| (id, describe));
        }
        if told.is_none() {
            let all = self.remote.list_views(object).await?;
            let mut own = all
                .into_iter()
                .filter(|one| one.developer_name.eq_ignore_ascii_case(name));
            if let Some(found) = own.next() {
                let describe = self.remote.list_view(object, &found.id).await?;
                told = describe.map(|describe| (found.id, describe));
            }
        }
        let asked_at = self.env.now();
        if let Some((id, describe)) = told {
            let usable = Briefcase::can_follow(object, &describe);
            match (usable, &known) {
                (Ok(()), _) => {
                    return Ok(ListView {
                        id,
                        describe,
                        asked_at,
                        gone: false,
                    });
                }
                (Err(error), None) => return Err(error),
                (Err(_), Some(_)) => {}
            }
        }
        let (id, describe) =
            known.map_or_else(Default::default, |known| (known.id, known.describe));
        Ok(ListView {
            id,
            describe,
            asked_at,
            gone: true,
        })
    }
}

/// Says whether an error is about what was asked for, and not about the way there.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotARemote | ErrorKind::RemoteRefused
    )
}
