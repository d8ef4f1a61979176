"""The URLs of the tests' Django site: what a test mounted."""

urlpatterns = []
