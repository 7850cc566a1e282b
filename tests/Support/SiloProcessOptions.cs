namespace Granary.Support;

/// <summary>How a silo of a test is started.</summary>
public sealed record SiloProcessOptions
{
    /// <summary>Where its embedded PostgreSQL keeps its data; null: a folder of its own that is deleted at the end.</summary>
    public string? DataFolder { get; init; }

    /// <summary>A server to use instead of an embedded one.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Further settings, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
