namespace Granary.Support;

/// <summary>How a silo of a test is started.</summary>
public sealed record SiloProcessOptions
{
    /// <summary>Where its embedded PostgreSQL keeps its data; null: a folder of its own that is deleted at the end.</summary>
    public string? DataFolder { get; init; }

    /// <summary>A server to use instead of an embedded one.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>The address that all of its ports listen on and clients are told.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>What is written before `dotnet` to start it, for example to put it into a network of its own; it must replace itself by it (exec).</summary>
    public IReadOnlyList<string> Launcher { get; init; } = [];

    /// <summary>A file that everything it prints is also written to; null: none.</summary>
    public string? LogFile { get; init; }

    /// <summary>Further settings, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
