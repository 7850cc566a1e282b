namespace Granary.Grains.Storage;

/// <summary>The database was changed by a newer version, which this one does not understand; it is left alone.</summary>
public sealed class NewerSchemaException(int found, int known)
    : Exception($"The database has version {found} of Granary's tables; this program knows up to {known}. Start a newer one.");
