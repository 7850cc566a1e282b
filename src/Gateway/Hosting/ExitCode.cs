namespace Granary.Gateway.Hosting;

/// <summary>How one of Granary's programs ended, for whoever started it.</summary>
public enum ExitCode
{
    /// <summary>It was asked to stop, and did.</summary>
    Stopped = 0,

    /// <summary>Something that has no code of its own; the message says what.</summary>
    Failed = 1,

    /// <summary>A setting is wrong.</summary>
    WrongSettings = 2,

    /// <summary>The embedded PostgreSQL cannot run: no binaries, folder in use or not reachable.</summary>
    NoEmbeddedPostgres = 3,

    /// <summary>The PostgreSQL of the connection string cannot be reached, or refuses it.</summary>
    NoPostgres = 4,

    /// <summary>A port is taken.</summary>
    PortInUse = 5,

    /// <summary>Another silo of this name works on this database.</summary>
    AnotherSilo = 6,

    /// <summary>The other silos declared this one dead while it hung or was cut off.</summary>
    Evicted = 7,

    /// <summary>The clocks of this machine and of PostgreSQL's differ by too much.</summary>
    ClockOff = 8,

    /// <summary>The database was made by a newer version, which this one does not understand.</summary>
    NewerSchema = 9,
}
