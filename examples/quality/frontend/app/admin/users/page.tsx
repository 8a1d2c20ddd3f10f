// Users and roles. It lies under /admin/ like Django's usual admin, which is why that one is mounted elsewhere.
import type { Metadata } from "next";

import { PageHead } from "@/components/page-head";
import { djangoAdminUrl } from "@/lib/api";

export const metadata: Metadata = { title: "Users" };

const roles = [
  { role: "Inspector", may: "Record inspections, read everything", account: "None: a name at the terminal" },
  { role: "Quality engineer", may: "Correct inspections and notes", account: "Staff, with the inspection permissions" },
  { role: "Administrator", may: "Manage accounts and permissions", account: "Superuser" },
];

export default function UsersPage() {
  return (
    <>
      <PageHead
        title="Users"
        action={
          <a href={`${djangoAdminUrl}auth/user/`} className="button">
            Manage accounts
          </a>
        }
      >
        Who may do what.
      </PageHead>
      <div className="card flush">
        <table>
          <thead>
            <tr>
              <th scope="col">Role</th>
              <th scope="col">May</th>
              <th scope="col">Account</th>
            </tr>
          </thead>
          <tbody>
            {roles.map(({ role, may, account }) => (
              <tr key={role}>
                <td>
                  <strong>{role}</strong>
                </td>
                <td>{may}</td>
                <td className="quiet">{account}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
