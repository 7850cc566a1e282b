using System.Net.Sockets;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>Tells what PostgreSQL did not do from what is wrong with us.</summary>
public static class PostgresAway
{
    /// <summary>
    /// True where PostgreSQL could not be reached, was lost on the way, was late, or answered with an error. Npgsql wraps most of that in its own
    /// exception, and leaves some as the socket or the stream says it.
    /// </summary>
    public static bool Explains(Exception failure) => failure is NpgsqlException or SocketException or IOException or TimeoutException;
}
