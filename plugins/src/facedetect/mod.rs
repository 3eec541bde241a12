//! x
/// x
pub(crate) fn register(_: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
    Ok(())
}
