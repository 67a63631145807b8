//! stub
/// stub
pub fn point(_name: &str) -> crate::Result<()> {
    Ok(())
}
